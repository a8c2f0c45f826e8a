#!/usr/bin/env python3
"""Makes tests/fixtures/tokenizers/: what Hugging Face's tokenizers make of some texts, by a small vocabulary of its own
and by GPT-2's with added tokens.

    deno run --allow-read --allow-write tests/support/gpt2_files.ts DIR
    python tests/make_tokenizers.py DIR       (tokenizers 0.22, transformers 4.57.6)

DIR gets GPT-2's vocab.json and merges.txt, which are written from gpt-tokenizer's ranks: they are too large to keep.
"""

import json
import pathlib
import sys

from tokenizers import AddedToken, ByteLevelBPETokenizer, Tokenizer
from transformers import GPT2TokenizerFast

ROOT = pathlib.Path(__file__).parent
OUT = ROOT / "fixtures" / "tokenizers"
TEXTS = [
    "Mary and John went to the store. John gave the cart to",
    "  leading, trailing and   inner spaces  ",
    "tabs\tand\nnew\n\nlines \n",
    "don't they're I've we'll she'd 'tis",
    "naïve café 🍣 日本語 Ωmega \u0000 \u00a0 \ufeff",
    "12345 67 8.90",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "<|user|>Hello<|assistant|> hi<|user|>",
    "<|user||> <|us <|user|>er|> <pad><pad>x",
    "ababab abcabc <|user|><|user|>",
    "user<|userland|>!",
]


def expected(tokenizer):
    return [tokenizer.encode(text, add_special_tokens=False).ids for text in TEXTS]


def own():
    trainer = ByteLevelBPETokenizer(add_prefix_space=False)
    corpus = [(ROOT.parent / name).read_text() for name in ["LICENSE", "packages/safetensors/README.md"]]
    trainer.train_from_iterator(corpus, vocab_size=420, special_tokens=["<|endoftext|>"], show_progress=False)
    folder = OUT / "own"
    folder.mkdir(parents=True, exist_ok=True)
    trainer.add_tokens([AddedToken("<|user|>", normalized=False), AddedToken("ab", normalized=True)])
    trainer.add_special_tokens(["<|assistant|>", "<|userland|>", "<pad>"])
    trainer.save(str(folder / "tokenizer.json"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    (folder / "expected.json").write_text(json.dumps({"texts": TEXTS, "ids": expected(tokenizer)}) + "\n")
    trainer.save_model(str(folder))  # vocab.json and merges.txt, without the added tokens


def added(gpt2):
    tokenizer = GPT2TokenizerFast(vocab_file=str(gpt2 / "vocab.json"), merges_file=str(gpt2 / "merges.txt"))
    tokenizer.add_tokens(["<|user|>", "<|assistant|>"], special_tokens=True)
    tokenizer.add_tokens(["<|userland|>", "ab"])
    tokenizer.add_special_tokens({"pad_token": "<pad>"})
    folder = OUT / "added"
    folder.mkdir(parents=True, exist_ok=True)
    ids = expected(tokenizer._tokenizer)
    names = {text: id for text, id in tokenizer.get_added_vocab().items() if id != 50256}
    (folder / "added_tokens.json").write_text(json.dumps(names) + "\n")
    (folder / "expected.json").write_text(json.dumps({"texts": TEXTS, "ids": ids}) + "\n")


if __name__ == "__main__":
    own()
    added(pathlib.Path(sys.argv[1]))
