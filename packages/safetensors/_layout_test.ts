// Copyright 2026 the Infoflow authors. MIT license.

import { assertRefused, assertTaken, file, header } from "./_test_file.ts";
import assert from "node:assert/strict";

const PLACE = "where the one before it ends, and must not end before that";

// The first tensor begins where the header ends.
Deno.test("InvalidOffset: a hole before the first tensor", () =>
  assertRefused(
    file(header("U8", "[2]", "[1,3]"), 3),
    "InvalidOffset",
    `Cannot place tensor "a" as it must begin at byte 0, ${PLACE}: current value is [1, 3]`,
  ));

// A tensor ends where it begins or after that.
Deno.test("InvalidOffset: a tensor that ends before it begins", () =>
  assertRefused(
    file('{"a":["U8",[4],[0,4]],"b":["U8",[2],[4,2]]}', 4),
    "InvalidOffset",
    `Cannot place tensor "b" as it must begin at byte 4, ${PLACE}: current value is [4, 2]`,
  ));

// There is no byte between two tensors.
Deno.test("InvalidOffset: a hole between two tensors", () =>
  assertRefused(
    file('{"a":["U8",[2],[0,2]],"b":["U8",[2],[3,5]]}', 5),
    "InvalidOffset",
    `Cannot place tensor "b" as it must begin at byte 2, ${PLACE}: current value is [3, 5]`,
  ));

// No byte belongs to two tensors.
Deno.test("InvalidOffset: two tensors that overlap by a byte", () =>
  assertRefused(
    file('{"a":["U8",[2],[0,2]],"b":["U8",[2],[1,3]]}', 3),
    "InvalidOffset",
    `Cannot place tensor "b" as it must begin at byte 2, ${PLACE}: current value is [1, 3]`,
  ));

Deno.test("InvalidOffset: two tensors in the same bytes", () =>
  assertRefused(
    file('{"a":["U8",[2],[0,2]],"b":["U8",[2],[0,2]]}', 2),
    "InvalidOffset",
    `Cannot place tensor "b" as it must begin at byte 2, ${PLACE}: current value is [0, 2]`,
  ));

// Offsets are not rounded: these two are one number in float64.
Deno.test("InvalidOffset: a hole of one byte behind 2^53", () =>
  assertRefused(
    file(
      '{"a":["U8",[9007199254740992],[0,9007199254740992]],' +
        '"b":["U8",[0],[9007199254740993,9007199254740993]]}',
    ),
    "InvalidOffset",
    `Cannot place tensor "b" as it must begin at byte 9007199254740992, ${PLACE}: ` +
      "current value is [9007199254740993, 9007199254740993]",
  ));

// The elements of a tensor can be counted in 64 bits.
Deno.test("ValidationOverflow: 2^64 elements", () =>
  assertRefused(
    file(header("U8", "[4294967296,4294967296]", "[0,16]"), 16),
    "ValidationOverflow",
    'Cannot size tensor "a" as its bits must be fewer than 2^64: ' +
      "current value is U8 [4294967296, 4294967296]",
  ));

// The bits of a tensor can be counted in 64 bits.
Deno.test("ValidationOverflow: 2^61 elements of 8 bits", () =>
  assertRefused(
    file(header("U8", "[2305843009213693952]", "[0,16]"), 16),
    "ValidationOverflow",
    'Cannot size tensor "a" as its bits must be fewer than 2^64: ' +
      "current value is U8 [2305843009213693952]",
  ));

// Sizes are multiplied from the left, so a 0 comes too late.
Deno.test("ValidationOverflow: 2^64 elements before a size of 0", () =>
  assertRefused(
    file(header("U8", "[4294967296,4294967296,0]", "[0,0]")),
    "ValidationOverflow",
    'Cannot size tensor "a" as its bits must be fewer than 2^64: ' +
      "current value is U8 [4294967296, 4294967296, 0]",
  ));

// The message does not grow with the tensor.
Deno.test("ValidationOverflow: a long name and many sizes", () =>
  assertRefused(
    file(header("U8", `[${new Array(1000).fill(9)}]`, "[0,0]").replace("a", "a".repeat(1000))),
    "ValidationOverflow",
    `Cannot size tensor "${"a".repeat(64)}..." as its bits must be fewer than 2^64: ` +
      "current value is U8 [9, 9, 9, 9, 9, 9, 9, 9, ...]",
  ));

// A tensor ends at the end of a byte: two F4 fill one, four F6 fill three.
Deno.test("MisalignedSlice: three F4", () =>
  assertRefused(
    file(header("F4", "[3]", "[0,2]"), 2),
    "MisalignedSlice",
    'Cannot size tensor "a" as its elements must fill whole bytes: current value is 12 bits',
  ));

Deno.test("MisalignedSlice: two F6_E3M2", () =>
  assertRefused(
    file(header("F6_E3M2", "[2]", "[0,2]"), 2),
    "MisalignedSlice",
    'Cannot size tensor "a" as its elements must fill whole bytes: current value is 12 bits',
  ));

Deno.test("MisalignedSlice: more F4 than a float64 can count", () =>
  assertRefused(
    file(header("F4", "[4503599627370497]", "[0,2]"), 2),
    "MisalignedSlice",
    'Cannot size tensor "a" as its elements must fill whole bytes: ' +
      "current value is 18014398509481988 bits",
  ));

// A tensor has the bytes that its dtype and shape ask for, no more and no fewer.
Deno.test("TensorInvalidInfo: a byte too many", () =>
  assertRefused(
    file(header("F32", "[2]", "[0,9]"), 9),
    "TensorInvalidInfo",
    'Cannot size tensor "a" as its dtype and shape ask for 8 bytes: current value is 9',
  ));

Deno.test("TensorInvalidInfo: a byte too few", () =>
  assertRefused(
    file(header("F32", "[2]", "[0,7]"), 7),
    "TensorInvalidInfo",
    'Cannot size tensor "a" as its dtype and shape ask for 8 bytes: current value is 7',
  ));

Deno.test("TensorInvalidInfo: a byte too many behind 2^53", () =>
  assertRefused(
    file(header("U8", "[9007199254740992]", "[0,9007199254740993]")),
    "TensorInvalidInfo",
    'Cannot size tensor "a" as its dtype and shape ask for 9007199254740992 bytes: ' +
      "current value is 9007199254740993",
  ));

// The tensors fill the file.
Deno.test("MetadataIncompleteBuffer: a byte behind the last tensor", () =>
  assertRefused(
    file(header("U8", "[2]", "[0,2]"), 3),
    "MetadataIncompleteBuffer",
    "Cannot place tensors as they must fill the 3 bytes after the header: current value is 2",
  ));

Deno.test("MetadataIncompleteBuffer: a file that ends within a tensor", () =>
  assertRefused(
    file(header("U8", "[2]", "[0,2]"), 1),
    "MetadataIncompleteBuffer",
    "Cannot place tensors as they must fill the 1 bytes after the header: current value is 2",
  ));

Deno.test("MetadataIncompleteBuffer: bytes without a tensor", () =>
  assertRefused(
    file("{}", 1),
    "MetadataIncompleteBuffer",
    "Cannot place tensors as they must fill the 1 bytes after the header: current value is 0",
  ));

// Nothing is allocated for a size before it was checked against the file.
Deno.test("MetadataIncompleteBuffer: a tensor of 2^61 - 1 bytes", () =>
  assertRefused(
    file(header("U8", "[2305843009213693951]", "[0,2305843009213693951]")),
    "MetadataIncompleteBuffer",
    "Cannot place tensors as they must fill the 0 bytes after the header: " +
      "current value is 2305843009213693951",
  ));

// The order in the header is free; the order of the bytes counts.
Deno.test("tensors are given in the order of their bytes", async () => {
  const bytes = file('{"c":["U8",[1],[2,3]],"a":["U8",[2],[0,2]],"b":["U8",[0],[2,2]]}', 3);
  assert.deepEqual(await assertTaken(bytes), ["a", "b", "c"]);
});

// Tensors without elements share a place with one another and with the one after them.
Deno.test("several tensors without elements lie in one place", async () => {
  const bytes = file('{"a":["U8",[1],[0,1]],"b":["F32",[0,7],[0,0]],"c":["F32",[7,0],[0,0]]}', 1);
  assert.deepEqual(await assertTaken(bytes), ["b", "c", "a"]);
});
