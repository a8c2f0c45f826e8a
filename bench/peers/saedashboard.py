#!/usr/bin/env python3
"""SAEDashboard's SaeVisRunner over a corpus, on the CPU with two threads and its own defaults: features in batches of 256,
the model run again for each. Writes how many tokens each feature is on at and its 20 largest places as JSON, and prints a line of JSON with what it took.

  saedashboard.py --model DIR --sae DIR --ids FILE.json --out FILE.json [--features N]

FILE.json has the token ids of each prompt, BOS first. Shorter ones are padded with BOS, which is ignored.
"""
import argparse
import json
import resource
import time
from pathlib import Path

import torch
from sae_dashboard.sae_vis_data import SaeVisConfig
from sae_dashboard.sae_vis_runner import SaeVisRunner
from sae_lens import SAE

import tl_model

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--sae", required=True)
parser.add_argument("--ids", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--features", type=int, default=0, help="the first N; all by default")
args = parser.parse_args()
torch.set_num_threads(2)
model = tl_model.hooked(tl_model.hf(args.model), True)
sae = SAE.load_from_disk(args.sae, device="cpu")
prompts = json.loads(Path(args.ids).read_text())
bos = prompts[0][0]
longest = max(map(len, prompts))
tokens = torch.tensor([ids + [bos] * (longest - len(ids)) for ids in prompts])

start, cpu = time.perf_counter(), time.process_time()
cfg = SaeVisConfig(
    hook_point=sae.cfg.metadata.hook_name,
    features=list(range(args.features or sae.cfg.d_sae)),
    ignore_tokens={bos},
    device="cpu",
)
data = SaeVisRunner(cfg).run(encoder=sae, model=model, tokens=tokens)
took = {"wall_s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}

found = []
for feature, it in sorted(data.feature_data_dict.items()):
    bars = it.acts_histogram_data.bar_heights  # None of a feature that is never on
    places = [
        # Five tokens are shown before the one that it is on at.
        {"prompt": s.original_index, "position": s.qualifying_token_index, "activation": s.feat_acts[5]}
        for s in (it.sequence_data.seq_group_data[0].seq_data if bars else [])
    ]
    found.append({"count": sum(bars or []), "top": places})
Path(args.out).write_text(json.dumps(found))
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"what": "SAEDashboard", "features": len(found), **took, "memory_mib": memory}), flush=True)
