"""Reads files from stdin, in batches of (count, (length, bytes) ...), and prints the reference's verdict on each."""
import json
import struct
import sys
import zlib

import safetensors

CODES = [
    ("header too small", "HeaderTooSmall"),
    ("header too large", "HeaderTooLarge"),
    ("invalid header length", "InvalidHeaderLength"),
    ("invalid UTF-8 in header", "InvalidHeader"),
    ("invalid JSON in header", "InvalidHeaderDeserialization"),
    ("invalid offset for tensor", "InvalidOffset"),
    ("overflow computing buffer size", "ValidationOverflow"),
    ("The slice is slicing for subbytes", "MisalignedSlice"),
    ("invalid shape, data type, or offset", "TensorInvalidInfo"),
    ("incomplete metadata, file not fully covered", "MetadataIncompleteBuffer"),
]


def verdict(data: bytes) -> str:
    try:
        tensors = safetensors.deserialize(data)
    except safetensors.SafetensorError as error:
        text = str(error).removeprefix("Error while deserializing: ")
        return next((code for prefix, code in CODES if text.startswith(prefix)), text)
    lines = [
        json.dumps([name, info["dtype"], [str(size) for size in info["shape"]], zlib.crc32(info["data"])])
        for name, info in tensors
    ]
    return "ok " + " ".join(sorted(lines))


read = sys.stdin.buffer.read
while head := read(4):
    verdicts = []
    for _ in range(struct.unpack("<I", head)[0]):
        (length,) = struct.unpack("<I", read(4))
        verdicts.append(verdict(read(length)))
    print(json.dumps(verdicts), flush=True)
