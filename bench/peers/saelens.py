#!/usr/bin/env python3
"""SAELens on TransformerLens' activations, on the CPU with two threads: a prompt is run as far as the hook and encoded,
and what is on is listed. Prints a line of JSON for each prompt, as ../measure.ts has it; --make writes the autoencoder
that is measured, of random weights of which about 60 features are on at a position.

  saelens.py --model DIR --sae DIR [--make --features N] --ids FILE.json --out FILE.json
"""
import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from sae_lens import SAE, StandardSAE, StandardSAEConfig

import tl_model

HOOK, LAYER, ON = "blocks.8.hook_resid_pre", 8, 60
RUNS, BUDGET_S, WARM_UP = 15, 8, 2

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--sae", required=True)
parser.add_argument("--make", action="store_true")
parser.add_argument("--features", type=int, default=24576)
parser.add_argument("--ids", required=True)
parser.add_argument("--out", required=True)
args = parser.parse_args()
torch.set_num_threads(2)
torch.manual_seed(3)
model = tl_model.hooked(tl_model.hf(args.model), False)
prompts = json.loads(Path(args.ids).read_text())


@torch.no_grad()
def stream(ids):
    return model(torch.tensor([ids]), stop_at_layer=LAYER)[0]


if args.make:
    n = model.cfg.d_model
    sae = StandardSAE(StandardSAEConfig(d_in=n, d_sae=args.features, dtype="float32", device="cpu"))
    sae.cfg.metadata.hook_name = HOOK
    sae.cfg.metadata.context_size = 1024
    with torch.no_grad():
        sae.W_dec[:] = torch.nn.functional.normalize(torch.randn(args.features, n), dim=-1)
        sae.W_enc[:] = sae.W_dec.T
        x = stream(prompts[-1])[1:]
        sae.b_dec[:] = x.mean(0)
        before = (x - sae.b_dec) @ sae.W_enc
        sae.b_enc[:] = -before.flatten().kthvalue(int(before.numel() * (1 - ON / args.features))).values
    sae.save_model(args.sae)

sae = SAE.load_from_disk(args.sae, device="cpu")


@torch.no_grad()
def encode(ids):
    acts = sae.encode(stream(ids))
    return acts, acts.nonzero()


found = []
for ids in prompts:
    acts, on = encode(ids)
    found.append([[int(i), int(f), float(acts[i, f])] for i, f in on])
    for _ in range(WARM_UP):
        encode(ids)
    times, began = [], time.perf_counter()
    while len(times) < RUNS and (len(times) < 3 or time.perf_counter() - began < BUDGET_S):
        start = time.perf_counter()
        encode(ids)
        times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps({
        "what": "SAELens: run and encode", "T": len(ids), "min_ms": min(times),
        "median_ms": statistics.median(times), "runs": len(times),
    }), flush=True)
Path(args.out).write_text(json.dumps(found))
