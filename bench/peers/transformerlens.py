#!/usr/bin/env python3
"""TransformerLens on the CPU with two threads: all patterns as one array, and the flow by layer as the
notebook computes it. Prints a line of JSON for each, as ../measure.ts has it.

  transformerlens.py --model DIR --reference FILE [FILE ...]
"""
import argparse
import json
import statistics
import time

import numpy as np
import torch
from safetensors import safe_open

import tl_model

RUNS, BUDGET_S, WARM_UP = 15, 4, 2

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--reference", nargs="+", required=True)
args = parser.parse_args()
torch.set_num_threads(2)
model = tl_model.hooked(tl_model.hf(args.model), False)
layers = model.cfg.n_layers


@torch.no_grad()
def run(ids):
    return model.run_with_cache(torch.tensor([ids]))[1]


def patterns(ids):
    cache = run(ids)
    return torch.stack([cache["pattern", l][0] for l in range(layers)]).numpy()


def flow(ids):
    cache = run(ids)
    rows = []
    for l in range(layers):
        heads = cache["pattern", l][0, :, 1:, 1:].sum(0)
        rows.append(heads / heads.sum(-1, keepdim=True))
    return torch.stack(rows).numpy()


def measure(what, compute, ids, expected):
    error = float(np.abs(compute(ids).astype(np.float64) - expected).max())
    for _ in range(WARM_UP):
        compute(ids)
    times, began = [], time.perf_counter()
    while len(times) < RUNS and (len(times) < 3 or time.perf_counter() - began < BUDGET_S):
        start = time.perf_counter()
        compute(ids)
        times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps({
        "what": what, "T": len(ids), "min_ms": min(times), "median_ms": statistics.median(times),
        "runs": len(times), "error": error,
    }), flush=True)


for path in args.reference:
    with safe_open(path, "np") as reference:
        ids = json.loads(reference.metadata()["ids"])
        measure("TransformerLens, patterns", patterns, ids, reference.get_tensor("patterns"))
        measure("TransformerLens, flow by layer", flow, ids, reference.get_tensor("info_flow_by_layer"))
