// Copyright 2026 the Infoflow authors. MIT license.

import { SafetensorsError } from "./error.ts";
import type { TensorInfo } from "./tensor_info.ts";

/** A range of bytes. */
export interface ByteRange {
  byteOffset: number;
  byteLength: number;
}

/** Where some rows of a tensor lie, or all of it without `rows`. */
export function rowRange(info: TensorInfo, rows?: readonly [number, number]): ByteRange {
  if (rows === undefined) return info;
  const [start, end] = rows;
  const [count] = info.shape;
  if (count === undefined) {
    throw new RangeError("Cannot read rows as the tensor must have an axis: current value is []");
  }
  const isWithin = Number.isSafeInteger(start) && Number.isSafeInteger(end) &&
    0 <= start && start <= end && end <= count;
  if (!isWithin) {
    throw new RangeError(
      `Cannot read rows as they must be integers in order from 0 to ${count}: ` +
        `current value is [${start}, ${end}]`,
    );
  }
  if (info.byteLength === 0) return info;
  const rowBits = info.byteLength * 8 / count;
  const range = { byteOffset: start * rowBits / 8, byteLength: (end - start) * rowBits / 8 };
  if (!Number.isInteger(range.byteOffset) || !Number.isInteger(range.byteLength)) {
    throw new SafetensorsError(
      "MisalignedSlice",
      `Cannot read rows of ${info.dtype} as they must begin and end between bytes: ` +
        `current value is [${start}, ${end}] with ${rowBits} bits a row`,
    );
  }
  return { byteOffset: info.byteOffset + range.byteOffset, byteLength: range.byteLength };
}
