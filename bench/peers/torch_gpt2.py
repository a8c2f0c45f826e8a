#!/usr/bin/env python3
"""PyTorch's GPT-2 on a card or on the processor, in float32: with eager attention all patterns and the flow by layer
back in host memory, and with SDPA, which gives no patterns, the last layer's stream. Prints a line of JSON for each,
as ../measure.ts has it, and for lengths up to 256 where it left its patterns as a reference.

  torch_gpt2.py --model DIR --device cuda|cpu [--longest T]
"""
import argparse
import json
import os
import statistics
import time
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import GPT2Model

RUNS, BUDGET_S, WARM_UP = 15, 3, 2
LENGTHS = [14, 64, 256, 1024]
LONGEST_REFERENCE = 256

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", required=True)
parser.add_argument("--device", choices=["cuda", "cpu"], required=True)
parser.add_argument("--longest", type=int, default=1024)
args = parser.parse_args()
torch.backends.cuda.matmul.allow_tf32 = False  # the same float32 as the engine's


def load(attention):
    model = GPT2Model.from_pretrained(args.model, attn_implementation=attention, dtype=torch.float32)
    return model.eval().to(args.device)


eager, sdpa = load("eager"), load("sdpa")
vocabulary = eager.config.vocab_size


def fresh(tokens, seed):
    return [vocabulary - 1] + [(7919 * (i + 1) + 1013 * seed) % (vocabulary - 1) for i in range(tokens - 1)]


def tensor(ids):
    return torch.tensor([ids], device=args.device)


@torch.inference_mode()
def patterns(ids):
    attentions = eager(tensor(ids), output_attentions=True, use_cache=False).attentions
    return torch.stack(attentions)[:, 0].cpu().numpy()


@torch.inference_mode()
def flow(ids):
    attentions = eager(tensor(ids), output_attentions=True, use_cache=False).attentions
    heads = torch.stack(attentions)[:, 0, :, 1:, 1:].sum(1)
    return (heads / heads.sum(-1, keepdim=True)).cpu().numpy()


@torch.inference_mode()
def stream(ids):
    return sdpa(tensor(ids), use_cache=False).last_hidden_state.cpu().numpy()


def measure(what, compute, tokens):
    for i in range(WARM_UP):
        compute(fresh(tokens, i))
    times, began = [], time.perf_counter()
    while len(times) < RUNS and (len(times) < 3 or time.perf_counter() - began < BUDGET_S):
        ids = fresh(tokens, len(times) + WARM_UP)
        start = time.perf_counter()
        compute(ids)
        times.append(1e3 * (time.perf_counter() - start))
    print(json.dumps({
        "what": what, "T": tokens, "min_ms": min(times), "median_ms": statistics.median(times), "runs": len(times),
    }), flush=True)


for tokens in [T for T in LENGTHS if T <= args.longest]:
    if tokens <= LONGEST_REFERENCE:
        ids = fresh(tokens, 0)
        path = os.path.join(args.model, f"torch_{tokens}.safetensors")
        save_file(
            {
                "patterns": np.ascontiguousarray(patterns(ids), np.float32),
                "info_flow_by_layer": np.ascontiguousarray(flow(ids), np.float32),
            },
            path,
            metadata={"ids": json.dumps(ids)},
        )
        print(json.dumps({"reference": path}), flush=True)
    measure("PyTorch eager, patterns", patterns, tokens)
    measure("PyTorch eager, flow by layer", flow, tokens)
    measure("PyTorch SDPA, no patterns", stream, tokens)
