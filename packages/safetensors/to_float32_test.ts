// Copyright 2026 the Infoflow authors. MIT license.

import type { Dtype } from "./dtype.ts";
import { toFloat32 } from "./to_float32.ts";
import assert from "node:assert/strict";

/** All 65,536 patterns of 16 bits. */
const PATTERNS = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** What a binary float with one sign bit is by definition; NaN has all exponent bits set. */
function decode(pattern: number, exponentBits: number, mantissaBits: number): number {
  const sign = pattern >> (exponentBits + mantissaBits) ? -1 : 1;
  const maxExponent = 2 ** exponentBits - 1;
  const exponent = (pattern >> mantissaBits) & maxExponent;
  const mantissa = pattern & (2 ** mantissaBits - 1);
  if (exponent === maxExponent) return mantissa ? NaN : sign * Infinity;
  const bias = 2 ** (exponentBits - 1) - 1;
  const fraction = mantissa / 2 ** mantissaBits;
  return sign * (exponent ? (1 + fraction) * 2 ** (exponent - bias) : fraction * 2 ** (1 - bias));
}

/** The same bytes at an odd offset of a buffer. */
function unaligned(bytes: Uint8Array): Uint8Array {
  const moved = new Uint8Array(bytes.length + 1).subarray(1);
  moved.set(bytes);
  return moved;
}

function bytesOf(array: Uint16Array | Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** Tells -0 from 0, but not one NaN from another, as deepEqual does for typed arrays. */
function assertSame(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  const wrong = actual.findIndex((value, i) => !Object.is(value, expected[i]));
  assert.equal(wrong, -1, `expected ${expected[wrong]} at ${wrong}, got ${actual[wrong]}`);
}

// Subnormals, infinities, NaN and -0 are all among them.
Deno.test("toFloat32() converts every F16", () => {
  const expected = Float32Array.from(PATTERNS, (pattern) => decode(pattern, 5, 10));
  assertSame(toFloat32(bytesOf(PATTERNS), "F16"), expected);
  assertSame(toFloat32(unaligned(bytesOf(PATTERNS)), "F16"), expected);
});

Deno.test("toFloat32() converts every BF16", () => {
  const expected = Float32Array.from(PATTERNS, (pattern) => decode(pattern, 8, 7));
  assertSame(toFloat32(bytesOf(PATTERNS), "BF16"), expected);
  assertSame(toFloat32(unaligned(bytesOf(PATTERNS)), "BF16"), expected);
});

// 2^-150 lies halfway between 0 and the least float32: halves go to even.
Deno.test("toFloat32() rounds F64 to the nearest float32", () => {
  const source = [
    [0.1, 0.10000000149011612],
    [1 + 2 ** -24, 1],
    [1 + 2 ** -24 + 2 ** -52, 1 + 2 ** -23],
    [2 ** -149, 2 ** -149],
    [2 ** -150, 0],
    [3e38, 3e38],
    [3.5e38, Infinity],
    [-1e300, -Infinity],
    [-0, -0],
    [NaN, NaN],
  ] as const;
  const bytes = bytesOf(Float64Array.from(source, ([value]) => value));
  const expected = Float32Array.from(source, ([, rounded]) => rounded);
  assertSame(toFloat32(bytes, "F64"), expected);
  assertSame(toFloat32(unaligned(bytes), "F64"), expected);
});

Deno.test("toFloat32() gives a view of aligned F32", () => {
  const bytes = bytesOf(new Float32Array([9, 1.5, -0, NaN])).subarray(4);
  const floats = toFloat32(bytes, "F32");
  assert.deepEqual(floats, new Float32Array([1.5, -0, NaN]));
  assert.equal(floats.buffer, bytes.buffer);
});

Deno.test("toFloat32() gives a copy of unaligned F32", () => {
  const bytes = unaligned(bytesOf(new Float32Array([1.5, -0, NaN])));
  const floats = toFloat32(bytes, "F32");
  assert.deepEqual(floats, new Float32Array([1.5, -0, NaN]));
  assert.notEqual(floats.buffer, bytes.buffer);
});

Deno.test("toFloat32() gives nothing for nothing", () => {
  for (const dtype of ["F32", "F16", "BF16", "F64"] as const) {
    assert.deepEqual(toFloat32(new Uint8Array(), dtype), new Float32Array());
  }
});

for (const dtype of ["I64", "F8_E4M3", "C64", "toString" as Dtype] as const) {
  Deno.test(`toFloat32() throws for ${dtype}`, () => {
    assert.throws(() => toFloat32(new Uint8Array(8), dtype), {
      name: "TypeError",
      message: "Cannot convert to float32 as the dtype must be F32, F16, BF16 or F64: " +
        `current value is ${dtype}`,
    });
  });
}

Deno.test("toFloat32() throws for bytes that end within an element", () => {
  assert.throws(() => toFloat32(new Uint8Array(5), "F16"), {
    name: "RangeError",
    message:
      "Cannot convert F16 to float32 as its bytes must be a multiple of 2: current value is 5",
  });
});
