#!/usr/bin/env python3
"""Patterns and flow by layer of some prompts, by TransformerLens, for a Hugging Face GPT-2 directory.

  references.py --model DIR --out DIR --tokens 14 64 256

Writes OUT/ref_T.safetensors with `patterns` [L,H,T,T], `info_flow_by_layer` [L,T-1,T-1] and, in the metadata,
`ids`. Stops unless TransformerLens agrees with Hugging Face's eager attention in float32 and in float64.
"""
import argparse
import json
import os

import numpy as np
import torch
from safetensors.numpy import save_file

import tl_model

TOLERANCE = 5e-5  # 5e-6 was seen on GPT-2 small's shape

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--tokens", nargs="+", type=int, required=True)
args = parser.parse_args()


@torch.no_grad()
def by_hugging_face(model, ids):
    attentions = model.transformer(ids, output_attentions=True, use_cache=False).attentions
    return torch.stack(attentions)[:, 0].double()


@torch.no_grad()
def by_transformerlens(model, ids):
    cache = model.run_with_cache(ids, return_type=None, names_filter=lambda n: n.endswith("hook_pattern"))[1]
    return torch.stack([cache["pattern", l][0] for l in range(model.cfg.n_layers)])


single, double = tl_model.hf(args.model), tl_model.hf(args.model, torch.float64)
lens = tl_model.hooked(single, False)
vocabulary = single.config.vocab_size
os.makedirs(args.out, exist_ok=True)
for tokens in args.tokens:
    # BOS, which is the last of GPT-2's vocabulary, then a fixed walk over the others.
    walk = [vocabulary - 1] + [(i * 7919 + 13) % (vocabulary - 1) for i in range(1, tokens)]
    ids = torch.tensor([walk])
    patterns = by_transformerlens(lens, ids)
    for name, other in (("float32", single), ("float64", double)):
        error = (by_hugging_face(other, ids) - patterns.double()).abs().max().item()
        assert error <= TOLERANCE, f"TransformerLens and Hugging Face in {name} differ by {error:g} at T = {tokens}"
    heads = patterns.double()[:, :, 1:, 1:].sum(1)
    flow = heads / heads.sum(-1, keepdim=True)
    save_file(
        {
            "patterns": np.ascontiguousarray(patterns.numpy(), np.float32),
            "info_flow_by_layer": np.ascontiguousarray(flow.numpy(), np.float32),
        },
        os.path.join(args.out, f"ref_{tokens}.safetensors"),
        metadata={"ids": json.dumps(walk)},
    )
