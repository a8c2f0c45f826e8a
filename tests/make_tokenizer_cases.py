#!/usr/bin/env python3
"""Makes tests/fixtures/tokenizers/cases.json: what transformers makes of texts by tokenizers as people's checkpoints have
them, all changes of one byte-level vocabulary.

    python tests/make_tokenizer_cases.py        (transformers 5.24, tokenizers 0.23)

A case has what its files have beyond the base (tokenizer.json whole; the others as they are), the id of BOS, and the
ids of each text, without special tokens.
"""
import json
import os
import pathlib
import tempfile

from transformers import AutoTokenizer

OUT = pathlib.Path(__file__).parent / "fixtures" / "tokenizers" / "cases.json"
printable = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b]
letters, extra = {b: chr(b) for b in printable}, 0
for b in range(256):
    if b not in letters:
        letters[b] = chr(256 + extra)
        extra += 1
vocab = {s: i for i, s in enumerate(["<|endoftext|>", "<s>", "</s>", "<pad>"])}
for b in range(256):
    vocab[letters[b]] = len(vocab)
merges = [["t", "h"], ["th", "e"], ["a", "t"], ["Ġ", "c"], ["Ġc", "at"], ["Ġ", "s"], ["Ġs", "at"], ["Ġ", "the"], ["1", "2"]]
for a, b in merges:
    vocab[a + b] = len(vocab)
NEXT = len(vocab)


def token(content, id, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
            "special": True, **flags}


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
BPE = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
       "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab, "merges": merges}
BASE = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [token("<|endoftext|>", 0)],
        "normalizer": None, "pre_tokenizer": BYTES, "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, "model": BPE}
FAST = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|endoftext|>"}
GPT2 = {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>"}
EOT = token("<|endoftext|>", 0)
SPLIT = {"type": "Split", "pattern": {"Regex": r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"},
         "behavior": "Isolated", "invert": False}
TEXTS = ["the cat sat", " the  cat\n sat ", "the<mask> cat <mask>  sat<mask>", "cafe\u0301 \u1112\u1161\u11ab \ufb01 THE",
         "the<s>cat</s><pad>", "1212 12345 the's THE'S", "<mask>", "themask maskthe mask the", "a\u00a0b\u3000c 🍣"]
files = lambda config=FAST, **more: {"tokenizer_config.json": config, **more}
mask = lambda **flags: [EOT, token("<mask>", NEXT, **flags)]
CASES = {
    "plain": ({}, files()),
    "prefix space": ({"pre_tokenizer": {**BYTES, "add_prefix_space": True}}, files()),
    "prefix space and a token": ({"pre_tokenizer": {**BYTES, "add_prefix_space": True}, "added_tokens": mask()}, files()),
    "GPT-2's class knows no prefix space of the file": ({"pre_tokenizer": {**BYTES, "add_prefix_space": True}}, files(GPT2)),
    "GPT-2's class is told of a prefix space": ({}, files({**GPT2, "add_prefix_space": True})),
    "lstrip": ({"added_tokens": mask(lstrip=True)}, files()),
    "rstrip": ({"added_tokens": mask(rstrip=True)}, files()),
    "both": ({"added_tokens": mask(lstrip=True, rstrip=True)}, files()),
    "a whole word": ({"added_tokens": [EOT, token("mask", NEXT, single_word=True)]}, files()),
    "NFC": ({"normalizer": {"type": "NFC"}}, files()),
    "NFD": ({"normalizer": {"type": "NFD"}}, files()),
    "NFKC in lower case": ({"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]}}, files()),
    "a normalized token": ({"normalizer": {"type": "Lowercase"}, "added_tokens": [EOT, token("the", NEXT, normalized=True, special=False)]}, files()),
    "digits": ({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, BYTES]}}, files()),
    "a regular expression": ({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [SPLIT, {**BYTES, "use_regex": False}]}}, files()),
    "no regular expression": ({"pre_tokenizer": {**BYTES, "use_regex": False}}, files()),
    "pieces that are tokens": ({"model": {**BPE, "ignore_merges": True, "vocab": {**vocab, "Ġsat!": NEXT, "THE": NEXT + 1}}}, files()),
    "BOS by the map": ({}, files(**{"special_tokens_map.json": {"bos_token": {"content": "<s>"}}})),
    "BOS by the config, specials in the vocabulary": ({}, files({**FAST, "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"})),
    "no files but tokenizer.json": ({}, {}),
}


def main():
    cases = []
    for name, (change, more) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            put = lambda file, content: pathlib.Path(folder, file).write_text(json.dumps(content), encoding="utf-8")
            put("tokenizer.json", {**BASE, **change})
            put("config.json", {"model_type": "gpt2", "vocab_size": 400})
            for file, content in more.items():
                put(file, content)
            tokenizer = AutoTokenizer.from_pretrained(folder)
            ids = [tokenizer.encode(text, add_special_tokens=False) for text in TEXTS]
            cases.append({"name": name, "change": change, "files": more, "bos": tokenizer.bos_token_id, "ids": ids})
    for case in cases:
        if "model" in case["change"]:
            case["change"]["model"] = {k: v for k, v in case["change"]["model"].items() if k != "merges"}
    OUT.write_text(json.dumps({"base": BASE, "texts": TEXTS, "cases": cases}, ensure_ascii=False) + "\n", encoding="utf-8")
    print(os.path.getsize(OUT), "bytes")


main()
