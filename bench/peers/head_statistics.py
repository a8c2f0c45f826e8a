#!/usr/bin/env python3
"""What a TransformerLens user writes for statistics of heads over a corpus: padded batches, patterns of all layers by
run_with_cache, sums in torch on the CPU with two threads. Prints seconds and some means as JSON.

  head_statistics.py --model DIR --prompts FILE.json [--batch 8]
"""
import argparse
import json
import resource
import time

import torch

import tl_model

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--prompts", required=True)
parser.add_argument("--batch", type=int, default=8)
args = parser.parse_args()
torch.set_num_threads(2)
model = tl_model.hooked(tl_model.hf(args.model), False)
prompts = json.load(open(args.prompts))
L, H = model.cfg.n_layers, model.cfg.n_heads
NAMES = ["previous_token", "bos", "self", "entropy", "distance", "max", "induction"]


@torch.no_grad()
def statistics(prompts):
    sums = {name: torch.zeros(2, L, H, dtype=torch.float64) for name in NAMES}
    by_distance = torch.zeros(L, H, 32, dtype=torch.float64)
    count, repeats, best = 0, 0, []
    for at in range(0, len(prompts), args.batch):
        some = prompts[at:at + args.batch]
        T = max(map(len, some))
        ids = torch.tensor([p + [50256] * (T - len(p)) for p in some])
        n = torch.tensor([len(p) for p in some])
        keep = lambda name: name.endswith("hook_pattern")
        _, cache = model.run_with_cache(ids, names_filter=keep, stop_at_layer=L)
        i, j = torch.arange(T)[:, None], torch.arange(T)[None]
        valid = (torch.arange(T)[None] >= 1) & (torch.arange(T)[None] < n[:, None])  # B, T
        same = (ids[:, :, None] == ids[:, None, :]) & (j + 1 < i) & (j >= 1) & valid[:, :, None]  # B, i, p
        has = same.any(-1)
        count += int(valid.sum())
        repeats += int(has.sum())
        for l in range(L):
            A = cache["pattern", l]  # B, H, T, T
            q = {
                "previous_token": torch.nn.functional.pad(A.diagonal(-1, -2, -1), (1, 0)),
                "bos": A[..., 0],
                "self": A.diagonal(0, -2, -1),
                "entropy": -(A * A.clamp_min(1e-30).log()).sum(-1),
                "distance": (A * (i - j).clamp_min(0)).sum(-1),
                "max": A.amax(-1),
                "induction": (A[..., 1:] * same[:, None, :, :-1]).sum(-1),
            }
            for name, value in q.items():
                mask = (has if name == "induction" else valid)[:, None]
                value = value.double() * mask
                sums[name][0, l] += value.sum((0, 2))
                sums[name][1, l] += (value * value).sum((0, 2))
            inside = A * valid[:, None, :, None]
            for d in range(min(32, T)):
                by_distance[l, :, d] += inside.diagonal(-d, -2, -1).sum((0, 2))
            rest = inside[..., 1:].flatten(2)
            best.append(rest.topk(min(5, rest.shape[-1])))
    return {name: (s[0] / (repeats if name == "induction" else count)) for name, s in sums.items()}


statistics(prompts[:16])
begin, cpu = time.perf_counter(), time.process_time()
means = statistics(prompts)
print(json.dumps({
    "seconds": time.perf_counter() - begin,
    "cpu_seconds": time.process_time() - cpu,
    "bos": means["bos"].flatten().tolist()[:6],
    "induction": means["induction"].flatten().tolist()[:6],
    "entropy": means["entropy"].flatten().tolist()[:6],
    "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
}))
