"""Reads the vocabulary as a first batch of bytes, then batches of texts, and prints tiktoken's ids of each."""
import json
import struct
import sys

import tiktoken
from tiktoken_ext.openai_public import r50k_pat_str

read = sys.stdin.buffer.read


def batches():
    while head := read(4):
        yield [read(struct.unpack("<I", read(4))[0]) for _ in range(struct.unpack("<I", head)[0])]


source = batches()
ranks = {token: rank for rank, token in enumerate(next(source))}
encoding = tiktoken.Encoding("r50k", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens={})
print("[]", flush=True)
for batch in source:
    ids = [encoding.encode_ordinary(text.decode()) for text in batch]
    print(json.dumps([" ".join(map(str, one)) for one in ids]), flush=True)
