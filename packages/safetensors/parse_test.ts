// Copyright 2026 the Infoflow authors. MIT license.

import { parse } from "./parse.ts";
import { file, header } from "./_test_file.ts";
import assert from "node:assert/strict";

Deno.test("parse() gives tensors and metadata", () => {
  const { tensors, metadata } = parse(
    file(
      '{"__metadata__":{"format":"pt"},' +
        '"b":{"dtype":"I16","shape":[2,1],"data_offsets":[1,5]},' +
        '"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}  ',
      5,
    ),
  );
  assert.deepEqual([...metadata], [["format", "pt"]]);
  assert.deepEqual([...tensors], [
    ["a", { dtype: "U8", shape: [], byteOffset: 0, byteLength: 1 }],
    ["b", { dtype: "I16", shape: [2, 1], byteOffset: 1, byteLength: 4 }],
  ]);
});

Deno.test("parse() gives no tensors for an empty header", () => {
  const { tensors, metadata } = parse(file("{}"));
  assert.equal(tensors.size + metadata.size, 0);
});

Deno.test("parse() takes names that objects have by themselves", () => {
  const parsed = parse(file('{"__proto__":["U8",[1],[0,1]],"toString":["U8",[1],[1,2]]}', 2));
  assert.deepEqual([...parsed.tensors.keys()], ["__proto__", "toString"]);
  assert.deepEqual(parsed.bytes("__proto__"), new Uint8Array([0]));
  assert.equal(parsed.tensors.get("constructor"), undefined);
});

Deno.test("parse() does not round a size that a number cannot hold", () => {
  const { tensors } = parse(file(header("F32", "[9007199254740991,0,9007199254740993]", "[0,0]")));
  assert.deepEqual(tensors.get("a")?.shape, [9007199254740991, 0, Infinity]);
});

Deno.test("parse() takes bytes at any offset of their buffer, and shared ones", () => {
  const bytes = file(header("F16", "[2]", "[0,4]"), [0x00, 0x3c, 0x00, 0xc0]);
  for (const buffer of [new ArrayBuffer(200), new SharedArrayBuffer(200)]) {
    const moved = new Uint8Array(buffer, 3, bytes.length);
    moved.set(bytes);
    assert.deepEqual(parse(moved).float32("a"), new Float32Array([1, -2]));
  }
});

Deno.test("bytes() gives a view", () => {
  const bytes = file('{"a":["U8",[2],[0,2]],"b":["U8",[3],[2,5]]}', 5);
  const view = parse(bytes).bytes("b");
  assert.deepEqual(view, new Uint8Array([2, 3, 4]));
  assert.equal(view.buffer, bytes.buffer);
});

Deno.test("float32() gives a view of aligned F32, and a copy of unaligned F32", () => {
  const data = [...new Uint8Array(new Float32Array([1.5, -2]).buffer)];
  for (const spaces of [0, 1, 2, 3]) {
    const bytes = file(header("F32", "[2]", "[0,8]") + " ".repeat(spaces), data);
    const floats = parse(bytes).float32("a");
    assert.deepEqual(floats, new Float32Array([1.5, -2]));
    const isAligned = (bytes.length - 8) % 4 === 0;
    assert.equal(floats.buffer === bytes.buffer, isAligned);
  }
});

Deno.test("bytes() and float32() throw for a name that is not there", () => {
  const parsed = parse(file(header("I64", "[1]", "[0,8]"), 8));
  const expected = {
    name: "SafetensorsError",
    code: "TensorNotFound",
    message: 'Cannot find tensor as the header must name it: current value is "b"',
  };
  assert.throws(() => parsed.bytes("b"), expected);
  assert.throws(() => parsed.float32("b"), expected);
});

Deno.test("float32() throws for a dtype that does not convert", () => {
  assert.throws(() => parse(file(header("I64", "[1]", "[0,8]"), 8)).float32("a"), {
    name: "TypeError",
    message:
      "Cannot convert to float32 as the dtype must be F32, F16, BF16 or F64: current value is I64",
  });
});
