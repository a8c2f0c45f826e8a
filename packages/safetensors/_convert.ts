// Copyright 2026 the Infoflow authors. MIT license.

import type { Dtype } from "./dtype.ts";

type Converter = (bytes: Uint8Array, target: Float32Array) => void;

/** The dtypes that convert to float32. */
export type FloatDtype = "F32" | "F16" | "BF16" | "F64";

/** Converts all of `bytes`, at any alignment, into as many numbers at the start of the target. */
export const CONVERTERS: Readonly<Record<FloatDtype, Converter>> = {
  F32(bytes, target) {
    new Uint8Array(target.buffer, target.byteOffset, bytes.length).set(bytes);
  },
  F16(bytes, target) {
    const halves = view(Uint16Array, bytes);
    const table = halfTable();
    for (let i = 0; i < halves.length; i++) target[i] = table[halves[i]!]!;
  },
  BF16(bytes, target) {
    const halves = view(Uint16Array, bytes);
    const words = new Uint32Array(target.buffer, target.byteOffset, halves.length);
    for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  },
  F64(bytes, target) {
    target.set(view(Float64Array, bytes));
  },
};

/** Makes sure that a dtype converts to float32. */
export function checkFloat(dtype: Dtype): FloatDtype {
  if (!Object.hasOwn(CONVERTERS, dtype)) {
    throw new TypeError(
      `Cannot convert to float32 as the dtype must be F32, F16, BF16 or F64: ` +
        `current value is ${dtype}`,
    );
  }
  return dtype as FloatDtype;
}

interface ViewConstructor<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** Views bytes as elements, through a copy where a view would be unaligned. */
function view<T>(constructor: ViewConstructor<T>, bytes: Uint8Array): T {
  const size = constructor.BYTES_PER_ELEMENT;
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new constructor(buffer, byteOffset, bytes.length / size);
}

let table: Float32Array | undefined;

/** All 65,536 halves as floats: looking them up is faster than reading from a `Float16Array`. */
function halfTable(): Float32Array {
  if (table === undefined) {
    const halves = Uint16Array.from({ length: 65536 }, (_, half) => half);
    table = Float32Array.from(new Float16Array(halves.buffer));
  }
  return table;
}
