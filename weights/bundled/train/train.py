#!/usr/bin/env python3
"""Trains the bundled model, in two runs, in the folder of books.bin, syn.bin and syn2.bin (see tokens.ts):

    python train.py first  --minutes 75   # from scratch; writes out/
    python train.py second --minutes 40   # goes on from out/; writes outb/, and outb_f16/, which is the bundled model

Needs torch and transformers (4.57 was used). The learning rate follows the clock, so what comes out depends on the
machine: two cores of an AMD EPYC saw 7.0 and 5.5 million tokens.

While it trains, the model has only the tokens that the corpus uses, 18,944 of GPT-2's 50,257: a smaller unembedding is
most of the speed. At the end they are put back in their places; the others get random embeddings around the mean.
"""

import argparse
import json
import math
import random
import time

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

T, B = 256, 8  # tokens of a sequence, sequences of a batch
BOS, VOCABULARY = 50256, 50257
HELD_OUT = 20_000  # tokens at the end of the books, and of the sentences
SHAPE = dict(n_positions=T, n_embd=128, n_layer=6, n_head=8, use_cache=False)

# Of a batch: book text, sentences; what is left is a few tokens of a book, repeated.
RUNS = {
    "first": dict(seed=1, rate=2e-3, warm_up=200, books=0.50, sentences=0.38, files=["syn.bin"], start=None, out="out"),
    "second": dict(seed=2, rate=1.2e-3, warm_up=100, books=0.47, sentences=0.38, files=["syn.bin", "syn2.bin"], start="out", out="outb"),
}


def read(name):
    return np.fromfile(name, dtype=np.uint16).astype(np.int64)


class Corpus:
    """Token ids, renumbered to those that are used."""

    def __init__(self, files):
        books, parts = read("books.bin"), [read(name) for name in files]
        self.used = np.unique(np.concatenate([books, *parts, [BOS]]))
        number = np.full(VOCABULARY, -1)
        number[self.used] = np.arange(len(self.used))
        books, sentences = number[books], number[parts[-1]]
        self.books, self.books_held = books[:-HELD_OUT], books[-HELD_OUT:]
        self.sentences, self.sentences_held = sentences[:-HELD_OUT], sentences[-HELD_OUT:]
        self.bos = int(number[BOS])

    def batch(self, run):
        rows = []
        for _ in range(B):
            draw = random.random()
            if draw < run["books"]:
                row = self._window(self.books)
            elif draw < run["books"] + run["sentences"]:
                row = self._window(self.sentences)
            else:  # for induction: random tokens, again and again
                length = random.randrange(12, 64)
                tokens = self.books[np.random.randint(0, len(self.books), length)]
                row = np.tile(tokens, T // length + 1)[:T].copy()
            row[0] = self.bos
            rows.append(row)
        return torch.from_numpy(np.stack(rows))

    def _window(self, ids):
        start = random.randrange(len(ids) - T)
        return ids[start : start + T].copy()

    def held_out(self):
        for ids in (self.books_held, self.sentences_held):
            rows = torch.from_numpy(np.stack([ids[i * T : (i + 1) * T] for i in range(16)]))
            rows[:, 0] = self.bos
            yield rows


@torch.no_grad()
def evaluate(model, corpus):
    """Nats a token on held-out book text and on held-out sentences."""
    model.eval()
    losses = [model(rows, labels=rows).loss.item() for rows in corpus.held_out()]
    model.train()
    return losses


def small_model(corpus, start):
    config = GPT2Config(vocab_size=len(corpus.used), resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0, **SHAPE)
    model = GPT2LMHeadModel(config)
    if start is not None:
        state = GPT2LMHeadModel.from_pretrained(start).state_dict()
        state["transformer.wte.weight"] = state["transformer.wte.weight"][corpus.used]
        state["lm_head.weight"] = state["transformer.wte.weight"]
        model.load_state_dict(state)
    return model


def whole_model(model, corpus):
    """The model with all tokens of GPT-2."""
    state = dict(model.state_dict())
    wte = state["transformer.wte.weight"]
    noise = torch.randn(VOCABULARY, wte.shape[1]) * wte.std(0, keepdim=True) * 0.5
    whole = wte.mean(0, keepdim=True) + noise
    whole[corpus.used] = wte
    state["transformer.wte.weight"] = state["lm_head.weight"] = whole
    result = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, **SHAPE))
    result.load_state_dict(state)
    return result


def train(run, minutes):
    torch.set_num_threads(2)
    torch.manual_seed(run["seed"])
    random.seed(run["seed"])
    np.random.seed(run["seed"])  # was not seeded when the bundled model was made
    corpus = Corpus(run["files"])
    model = small_model(corpus, run["start"])
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    others = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=run["rate"], betas=(0.9, 0.98))

    began, step, tokens = time.time(), 0, 0
    while (elapsed := time.time() - began) < minutes * 60:
        warm = min(1, (step + 1) / run["warm_up"])
        cosine = 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * elapsed / (minutes * 60)))
        for group in optimizer.param_groups:
            group["lr"] = run["rate"] * warm * cosine
        rows = corpus.batch(run)
        loss = model(rows, labels=rows).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step, tokens = step + 1, tokens + rows.numel()
        if step % 100 == 0:
            held_out = f"held out {evaluate(model, corpus)}" if step % 500 == 0 else ""
            print(f"{step} {elapsed:.0f} s {tokens / 1e6:.2f} M tokens, loss {loss.item():.3f} {held_out}", flush=True)

    books, sentences = evaluate(model, corpus)
    whole = whole_model(model, corpus)
    whole.save_pretrained(run["out"])
    whole.half().save_pretrained(run["out"] + "_f16")
    with open(f"{run['out']}/train.json", "w") as file:
        json.dump({"steps": step, "tokens": tokens, "val_books": books, "val_sentences": sentences, "used_tokens": len(corpus.used), "minutes": minutes}, file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("run", choices=RUNS)
    parser.add_argument("--minutes", type=float, required=True)
    arguments = parser.parse_args()
    train(RUNS[arguments.run], arguments.minutes)
