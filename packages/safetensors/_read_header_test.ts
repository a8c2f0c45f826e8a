// Copyright 2026 the Infoflow authors. MIT license.

import { assertMalformed, assertRefused, assertTaken, file, header } from "./_test_file.ts";
import assert from "node:assert/strict";

// A file begins with the length of its header, in 8 bytes.
Deno.test("HeaderTooSmall: a file of 7 bytes", () =>
  assertRefused(
    new Uint8Array(7),
    "HeaderTooSmall",
    "Cannot read safetensors header as the 8 bytes of its length must come first: " +
      "current value is 7 bytes",
  ));

// A header has at most 100,000,000 bytes, whatever the length of the file.
Deno.test("HeaderTooLarge: a header of one byte too many", () =>
  assertRefused(
    file("{}", 0, 100_000_001n),
    "HeaderTooLarge",
    "Cannot read safetensors header as it must have at most 100000000 bytes: " +
      "current value is 100000001",
  ));

// The length is unsigned: its highest bit is no sign.
Deno.test("HeaderTooLarge: the largest length of all", () =>
  assertRefused(
    file("{}", 0, 2n ** 64n - 1n),
    "HeaderTooLarge",
    "Cannot read safetensors header as it must have at most 100000000 bytes: " +
      "current value is 18446744073709551615",
  ));

// The header must end within the file.
Deno.test("InvalidHeaderLength: a header that ends one byte behind the file", () =>
  assertRefused(
    file("{}", 0, 3n),
    "InvalidHeaderLength",
    "Cannot read safetensors header as at most 2 bytes of the file are left for it: " +
      "current value is 3",
  ));

// The largest length is still in bounds, so the end of the file decides.
Deno.test("InvalidHeaderLength: the largest header, in a small file", () =>
  assertRefused(
    file("{}", 0, 100_000_000n),
    "InvalidHeaderLength",
    "Cannot read safetensors header as at most 2 bytes of the file are left for it: " +
      "current value is 100000000",
  ));

const NOT_UTF8 = {
  "a byte that never occurs": [0x7b, 0xff, 0x7d],
  "an overlong form": [0xc0, 0xaf],
  "a surrogate": [0xed, 0xa0, 0x80],
  "a code point above U+10FFFF": [0xf4, 0x90, 0x80, 0x80],
  "a character cut short": [0xe2, 0x82],
};

// The header is UTF-8, and nothing is repaired.
for (const [what, bytes] of Object.entries(NOT_UTF8)) {
  Deno.test(`InvalidHeader: ${what}`, () =>
    assertRefused(
      file(bytes),
      "InvalidHeader",
      `Cannot decode safetensors header as it must be UTF-8: current value is ${bytes.length} ` +
        "bytes that are not",
    ));
}

// A byte order mark is a character like any other, and no JSON begins with it.
Deno.test("InvalidHeaderDeserialization: a byte order mark", () =>
  assertMalformed(
    [0xef, 0xbb, 0xbf, 0x7b, 0x7d],
    'a { must be here: current value is "\ufeff" at character 0',
  ));

const EMPTY = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';

// The specification disallows duplicate keys: here a tensor's name.
Deno.test("InvalidHeaderDeserialization: a tensor named twice", () =>
  assertMalformed(
    `{"a":${EMPTY},"a":${EMPTY}}`,
    'a key must not come twice: current value is "a"',
  ));

// The same name, though spelled in two ways.
Deno.test("InvalidHeaderDeserialization: a tensor named twice, once with an escape", () =>
  assertMalformed(
    `{"a":${EMPTY},"\\u0061":${EMPTY}}`,
    'a key must not come twice: current value is "a"',
  ));

// The specification disallows duplicate keys: here a key of the metadata.
Deno.test("InvalidHeaderDeserialization: a key of the metadata that comes twice", () =>
  assertMalformed(
    '{"__metadata__":{"k":"1","k":"1"}}',
    'a key must not come twice: current value is "k"',
  ));

// The specification disallows duplicate keys: here in what is otherwise skipped.
Deno.test("InvalidHeaderDeserialization: a key that comes twice in an unknown field", () =>
  assertMalformed(
    '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":[{"k":1,"k":2}]}}',
    'a key must not come twice: current value is "k"',
  ));

// The first few keys are kept differently from the rest: the rule holds among many as well.
for (const repeated of [3, 50]) {
  Deno.test(`InvalidHeaderDeserialization: unknown field ${repeated} of 100 comes twice`, () => {
    const fields = Array.from({ length: 100 }, (_, i) => `"x${i}":${i}`);
    return assertMalformed(
      `{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],${fields},"x${repeated}":0}}`,
      `a key must not come twice: current value is "x${repeated}"`,
    );
  });
}

// Where the last of two tensors of one name leaves a hole, that is what the reference reports.
Deno.test("InvalidOffset: a tensor named twice, with other bytes", () =>
  assertRefused(
    file(
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},' +
        '"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
      2,
    ),
    "InvalidOffset",
    'Cannot place tensor "a" as it must begin at byte 0, where the one before it ends, and must ' +
      "not end before that: current value is [1, 2]",
  ));

// What is wrong with the header comes before what is wrong with the tensors.
Deno.test("a file that is wrong in several ways is refused for the first of them", async () => {
  const wrong = header("I32", "[2,18446744073709551614]", "[4,16]");
  await assertMalformed(
    wrong + "x",
    `nothing must follow the outermost object: current value is "x" at character ${wrong.length}`,
  );
});

// A header may have as many tensors as fit it.
Deno.test("a header of 100,000 tensors is taken", async () => {
  const tensors = Array.from(
    { length: 100_000 },
    (_, i) =>
      `"h.${i}.weight":{"dtype":"F16","shape":[2,4],"data_offsets":[${16 * i},${16 * i + 16}]}`,
  );
  const names = await assertTaken(file(`{${tensors}}`, new Array(1_600_000).fill(0)));
  assert.equal(names.length, 100_000);
});
