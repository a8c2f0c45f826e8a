// Copyright 2026 the Infoflow authors. MIT license.

import { open } from "./open.ts";
import { openSource } from "./_open_source.ts";
import { file, header, memorySource } from "./_test_file.ts";
import assert from "node:assert/strict";

const EXAMPLE = new URL("./testdata/example.safetensors", import.meta.url);

/** A file with rows of three F16 each, which count from 0 to 2046 over and over, then a byte. */
function counting(rows: number): Uint8Array {
  const floats = new Float16Array(rows * 3).map((_, i) => i % 2047);
  const end = floats.byteLength;
  const text = `{"a":["F16",[${rows},3],[0,${end}]],"b":["U8",[1],[${end},${end + 1}]]}`;
  return file(text, [...new Uint8Array(floats.buffer), 7]);
}

for (const path of [EXAMPLE, EXAMPLE.pathname]) {
  Deno.test(`open() takes a ${typeof path === "string" ? "path" : "URL"}`, async () => {
    using opened = await open(path);
    assert.deepEqual([...opened.tensors], [
      ["bias", { dtype: "F32", shape: [2], byteOffset: 0, byteLength: 8 }],
      ["embedding", { dtype: "F16", shape: [3, 2], byteOffset: 8, byteLength: 12 }],
    ]);
    assert.deepEqual([...opened.metadata], [["format", "pt"]]);
  });
}

Deno.test("open() throws what Deno.open throws", async () => {
  const missing = new URL("./testdata/missing.safetensors", import.meta.url);
  await assert.rejects(() => open(missing), Deno.errors.NotFound);
});

Deno.test("open() throws for a directory", async () => {
  const path = new URL("./testdata", import.meta.url);
  await assert.rejects(() => open(path), {
    name: "TypeError",
    message: `Cannot open safetensors file as it must be a regular file: current value is ${path}`,
  });
});

Deno.test({
  name: "open() closes a file that it refuses",
  sanitizeResources: true,
  fn: async () => {
    const path = new URL("./mod.ts", import.meta.url);
    await assert.rejects(() => open(path), { code: "HeaderTooLarge" });
  },
});

Deno.test("reads of one file do not disturb each other", async () => {
  await using opened = await open(EXAMPLE);
  const reads = Array.from({ length: 50 }, (_, i) => opened.float32(i % 2 ? "bias" : "embedding"));
  for (const [i, floats] of (await Promise.all(reads)).entries()) {
    assert.deepEqual([...floats], i % 2 ? [0.5, -0.5] : [1, 2, 3, 4, 5, 6]);
  }
});

Deno.test("a closed file throws, and may be closed again", async () => {
  const opened = await open(EXAMPLE);
  opened.close();
  opened.close();
  await assert.rejects(() => opened.read("bias"), {
    name: "TypeError",
    message: "Cannot read tensor as the file must be open: current value is closed",
  });
});

Deno.test("read() gives bytes in memory of their own", async () => {
  const opened = await openSource(memorySource(counting(2), 5));
  assert.deepEqual(await opened.read("b"), new Uint8Array([7]));
  const bytes = await opened.read("a", { rows: [1, 2] });
  assert.deepEqual(bytes, new Uint8Array(new Float16Array([3, 4, 5]).buffer));
  assert.equal(bytes.buffer.byteLength, 6);
});

Deno.test("readInto() fills the start of the target", async () => {
  const opened = await openSource(memorySource(counting(2)));
  const target = new Uint8Array(8).fill(1);
  const filled = await opened.readInto("a", target, { rows: [0, 1] });
  assert.deepEqual(filled, new Uint8Array(new Float16Array([0, 1, 2]).buffer));
  assert.equal(filled.buffer, target.buffer);
  assert.deepEqual([...target.subarray(6)], [1, 1]);
});

Deno.test("float32() converts more than fits its buffer", async () => {
  const rows = 800_000; // 4.8 MB
  const opened = await openSource(memorySource(counting(rows), 1_000_001));
  const floats = await opened.float32("a");
  assert.equal(floats.length, rows * 3);
  assert(floats.every((value, i) => value === i % 2047));
});

Deno.test("float32Into() reads F32 and F16 into the caller's floats", async () => {
  await using opened = await open(EXAMPLE);
  const target = new Float32Array(5);
  const bias = await opened.float32Into("bias", target.subarray(1));
  assert.deepEqual(bias, new Float32Array([0.5, -0.5]));
  const row = await opened.float32Into("embedding", target.subarray(3), { rows: [2, 3] });
  assert.deepEqual(row, new Float32Array([5, 6]));
  assert.deepEqual(target, new Float32Array([0, 0.5, -0.5, 5, 6]));
});

Deno.test("no rows are no bytes", async () => {
  const opened = await openSource(memorySource(counting(2)));
  assert.equal((await opened.float32("a", { rows: [2, 2] })).length, 0);
  const empty = await openSource(memorySource(file(header("F32", "[3,0]", "[0,0]"))));
  assert.equal((await empty.float32("a", { rows: [1, 3] })).length, 0);
  const rowless = await openSource(memorySource(file(header("F32", "[0,3]", "[0,0]"))));
  assert.equal((await rowless.float32("a", { rows: [0, 0] })).length, 0);
});

Deno.test("rows of less than a byte are read where they begin and end between bytes", async () => {
  const opened = await openSource(memorySource(file(header("F4", "[4,1]", "[0,2]"), 2)));
  assert.deepEqual(await opened.read("a", { rows: [2, 4] }), new Uint8Array([1]));
  await assert.rejects(() => opened.read("a", { rows: [1, 3] }), {
    name: "SafetensorsError",
    code: "MisalignedSlice",
    message: "Cannot read rows of F4 as they must begin and end between bytes: " +
      "current value is [1, 3] with 4 bits a row",
  });
});

const BAD_ROWS: [number, number][] = [[-1, 1], [0, 3], [2, 1], [0, 1.5], [NaN, 1], [0, Infinity]];

for (const [start, end] of BAD_ROWS) {
  Deno.test(`rows [${start}, ${end}] of two are refused`, async () => {
    const opened = await openSource(memorySource(counting(2)));
    await assert.rejects(() => opened.read("a", { rows: [start, end] }), {
      name: "RangeError",
      message: "Cannot read rows as they must be integers in order from 0 to 2: " +
        `current value is [${start}, ${end}]`,
    });
  });
}

Deno.test("rows of a scalar are refused", async () => {
  const opened = await openSource(memorySource(file(header("U8", "[]", "[0,1]"), 1)));
  await assert.rejects(() => opened.read("a", { rows: [0, 1] }), {
    name: "RangeError",
    message: "Cannot read rows as the tensor must have an axis: current value is []",
  });
});

Deno.test("a target that is too short is refused", async () => {
  const opened = await openSource(memorySource(counting(2)));
  await assert.rejects(() => opened.readInto("a", new Uint8Array(11)), {
    name: "RangeError",
    message: "Cannot read tensor as the target must have room for 12 elements: current value is 11",
  });
  await assert.rejects(() => opened.float32Into("a", new Float32Array(5)), {
    name: "RangeError",
    message: "Cannot read tensor as the target must have room for 6 elements: current value is 5",
  });
});

Deno.test("a name that is not there is refused by every way to read", async () => {
  const opened = await openSource(memorySource(counting(2)));
  const expected = {
    name: "SafetensorsError",
    code: "TensorNotFound",
    message: 'Cannot find tensor as the header must name it: current value is "c"',
  };
  await assert.rejects(() => opened.read("c"), expected);
  await assert.rejects(() => opened.readInto("c", new Uint8Array()), expected);
  await assert.rejects(() => opened.float32("c"), expected);
  await assert.rejects(() => opened.float32Into("c", new Float32Array()), expected);
});

Deno.test("a dtype that does not convert is refused", async () => {
  const opened = await openSource(memorySource(counting(2)));
  await assert.rejects(() => opened.float32("b"), {
    name: "TypeError",
    message:
      "Cannot convert to float32 as the dtype must be F32, F16, BF16 or F64: current value is U8",
  });
});

// What was cut off must not read as zeros.
Deno.test("a file that was cut short after it was opened is refused", async () => {
  const bytes = counting(2);
  let length = bytes.length;
  const source = memorySource(bytes);
  const opened = await openSource({
    ...source,
    read: (target, position) => memorySource(bytes.subarray(0, length)).read(target, position),
  });
  length -= 3;
  const expected = {
    name: "SafetensorsError",
    code: "MetadataIncompleteBuffer",
    message: `Cannot read safetensors file as it must keep the ${bytes.length} bytes that it ` +
      `had when it was opened: current value is ${length}`,
  };
  await assert.rejects(() => opened.read("a"), expected);
  await assert.rejects(() => opened.float32("a"), expected);
  assert.deepEqual(await opened.float32("a", { rows: [0, 1] }), new Float32Array([0, 1, 2]));
});

// Only the header is read before a tensor is asked for, and then only that tensor.
Deno.test("no byte is read that was not asked for", async () => {
  const bytes = counting(1000);
  const source = memorySource(bytes);
  let count = 0;
  const opened = await openSource({
    ...source,
    read(target, position) {
      count += target.length;
      return source.read(target, position);
    },
  });
  assert.equal(count, bytes.length - 6001);
  count = 0;
  await opened.float32("a", { rows: [500, 502] });
  assert.equal(count, 12);
});
