#!/usr/bin/env python3
"""Activation patching by TransformerLens' own functions, on the CPU with two threads, for ../patching.ts to compare
with: every so many cells of the grid of resid_pre and of the grid of heads by position. Each cell is a run of its own
there, so a whole grid takes as many times as long; whole they would take minutes. Prints a line of JSON for each, as
../measure.ts has it.

  patching.py --model DIR --reference FILE --out FILE.json
"""
import argparse
import json
import time

import pandas as pd
import torch
from safetensors import safe_open
from transformer_lens import patching

import tl_model

EVERY = {"resid_pre": 12, "z": 96}  # of so many cells one is run

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--reference", required=True)
parser.add_argument("--out", required=True)
args = parser.parse_args()
torch.set_num_threads(2)
patching.tqdm = lambda it, **_: it  # no bar
model = tl_model.hooked(tl_model.hf(args.model), False)
cfg = model.cfg
with safe_open(args.reference, "np") as reference:
    clean = json.loads(reference.metadata()["ids"])
T = len(clean)


def other(i):
    return (7919 * (i + 1) + 13) % (cfg.d_vocab - 1)


# Prompts that differ from the first word on, and at one word near the end, as those of Wang et al. 2022 do.
PAIRS = {
    "differ at once": [clean[0], *(other(i) for i in range(1, T))],
    "differ late": [other(i) if i == T - 4 else clean[i] for i in range(T)],
}


def measure(what, cells, of, run):
    start = time.perf_counter()
    values = run()
    took = 1e3 * (time.perf_counter() - start) * of / cells
    print(json.dumps({"what": f"TransformerLens, {what}", "T": T, "min_ms": took, "median_ms": took, "runs": cells}),
          flush=True)
    return values.double().tolist()


@torch.no_grad()
def compute(name, corrupted):
    clean_tokens, tokens = torch.tensor([clean]), torch.tensor([corrupted])
    logits, cache = model.run_with_cache(clean_tokens)
    last, wrong = logits[0, -1], model(tokens)[0, -1]
    answer = int(last.argmax())
    against = int(wrong.argmax()) if int(wrong.argmax()) != answer else int(last.topk(2).indices[1])

    def grid(what, site, columns, setter, every):
        some = every[::EVERY[site]]
        values = measure(f"{what}, {name}", len(some), len(every), lambda: patching.generic_activation_patch(
            model, tokens, cache, lambda out: out[0, -1, answer] - out[0, -1, against], patch_setter=setter,
            activation_name=site, index_df=pd.DataFrame(some, columns=columns)))
        return {"cells": some, "values": values}

    layers, positions, heads = range(cfg.n_layers), range(T), range(cfg.n_heads)
    streams = [(l, p) for l in layers for p in positions]
    by_head = [(l, p, h) for l in layers for p in positions for h in heads]
    return {
        "name": name, "clean": clean, "corrupted": corrupted, "answer": answer, "against": against,
        "streams": grid("patches of RESID_PRE", "resid_pre", ["layer", "pos"], patching.layer_pos_patch_setter, streams),
        "heads": grid("patches of heads", "z", ["layer", "pos", "head"], patching.layer_pos_head_vector_patch_setter, by_head),
    }


pairs = [compute(name, corrupted) for name, corrupted in PAIRS.items()]
with open(args.out, "w") as f:
    json.dump(pairs, f)
