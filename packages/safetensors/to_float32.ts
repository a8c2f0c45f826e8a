// Copyright 2026 the Infoflow authors. MIT license.

import { checkFloat, CONVERTERS } from "./_convert.ts";
import { type Dtype, DTYPES } from "./dtype.ts";

/**
 * Reads little-endian floats as a `Float32Array`.
 *
 * F32 is not copied where its bytes lie aligned to 4: then the result is a view of `bytes`, which
 * shows in `result.buffer === bytes.buffer`. All else is converted into new memory: F16 and BF16
 * exactly, F64 rounded to the nearest float32, which is an infinity for what is too large. A NaN
 * stays a NaN, though its payload may change.
 *
 * @param bytes The elements; they may begin at any offset of their buffer.
 * @param dtype What they are.
 * @returns A number for each element.
 * @throws {TypeError} If `dtype` is not F32, F16, BF16 or F64.
 * @throws {RangeError} If `bytes` ends within an element.
 *
 * @example Usage
 * ```ts
 * import { toFloat32 } from "@infoflow/safetensors";
 * import assert from "node:assert/strict";
 *
 * const halves = new Uint8Array([0x00, 0x3c, 0x00, 0xc0]);
 * assert.deepEqual(toFloat32(halves, "F16"), new Float32Array([1, -2]));
 * ```
 */
export function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array {
  const convert = CONVERTERS[checkFloat(dtype)];
  const size = DTYPES[dtype].bits / 8;
  if (bytes.length % size !== 0) {
    throw new RangeError(
      `Cannot convert ${dtype} to float32 as its bytes must be a multiple of ${size}: ` +
        `current value is ${bytes.length}`,
    );
  }
  const length = bytes.length / size;
  if (dtype === "F32" && bytes.byteOffset % size === 0) {
    return new Float32Array(bytes.buffer, bytes.byteOffset, length);
  }
  const target = new Float32Array(length);
  convert(bytes, target);
  return target;
}
