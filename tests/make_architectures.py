#!/usr/bin/env python3
"""Makes tests/fixtures/architectures/: small random GPT-2s as transformers saves them, with the options that fine-tunes
have, and the attention patterns that transformers computes for them.

    python tests/make_architectures.py        (torch and transformers 4.57.6)

Each directory is a checkpoint; beside config.json and weights it has patterns.safetensors with "patterns", (L, H, T, T)
in float32, and the token ids in its metadata. The same seed gives the same weights.
"""

import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

OUT = pathlib.Path(__file__).parent / "fixtures" / "architectures"
BASE = dict(n_layer=3, n_head=2, n_embd=16, n_positions=32, vocab_size=61, bos_token_id=60, eos_token_id=60)
TOKENS = 13

VARIANTS = {
    "gelu": dict(activation_function="gelu"),
    "relu": dict(activation_function="relu"),
    "inverse_layer_scale": dict(scale_attn_by_inverse_layer_idx=True),
    "unscaled": dict(scale_attn_weights=False),
    "reordered_upcast": dict(reorder_and_upcast_attn=True, scale_attn_by_inverse_layer_idx=True),
    "epsilon": dict(layer_norm_epsilon=0.05),
    "inner": dict(n_inner=20),
    "vocabulary": dict(vocab_size=97, n_positions=17),
    "deep": dict(n_layer=48, n_head=4, n_embd=16, n_inner=16),
    "sharded": dict(_max_shard_size="9KB"),
    "float16": dict(_dtype=torch.float16),
    "bfloat16": dict(_dtype=torch.bfloat16),
    "sharded_float16": dict(_dtype=torch.float16, _max_shard_size="9KB"),
}


def make(name, options):
    dtype = options.pop("_dtype", torch.float32)
    shard = options.pop("_max_shard_size", "5GB")
    torch.manual_seed(sum(map(ord, name)))
    config = GPT2Config(**{**BASE, **options}, use_cache=False)
    # Eager attention is what the options are written for, and what gives its patterns.
    config._attn_implementation = "eager"
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for key, value in model.named_parameters():
            # Random weights as transformers makes them are so small that every option but the sizes gets lost.
            if value.ndim == 2:
                value.normal_(0, 1 if "wte" in key or "wpe" in key else 1.5 / value.shape[0] ** 0.5)
            else:
                value.normal_(1 if "ln_" in key and "weight" in key else 0, 0.4)
    model = model.to(dtype)
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, max_shard_size=shard)
    (folder / "generation_config.json").unlink(missing_ok=True)
    # What is stored in 16 bits is computed in 32 by us, and here.
    ids = torch.randint(0, config.vocab_size, (1, TOKENS))
    with torch.no_grad():
        patterns = torch.stack(model.float()(ids, output_attentions=True).attentions).squeeze(1)
    save_file(
        {"patterns": patterns.contiguous()},
        folder / "patterns.safetensors",
        metadata={"ids": json.dumps(ids[0].tolist())},
    )
    print(name, sorted(path.name for path in folder.iterdir()), f"largest {patterns.max():.3f}")


if __name__ == "__main__":
    for name, options in VARIANTS.items():
        make(name, dict(options))
