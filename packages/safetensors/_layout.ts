// Copyright 2026 the Infoflow authors. MIT license.

import { type Dtype, DTYPES } from "./dtype.ts";
import { SafetensorsError } from "./error.ts";
import type { Declaration } from "./_header.ts";
import { quote } from "./_quote.ts";
import type { TensorInfo } from "./tensor_info.ts";
import { divide, multiply, subtract, type U64 } from "./_u64.ts";

const MAX_AXES_SHOWN = 8;

/**
 * Checks that the tensors lie end to end over all of the file after its header, each with as many
 * bytes as its dtype and shape ask for.
 *
 * @param tensors The tensors that the header declares.
 * @param dataLength The bytes after the header.
 * @returns The tensors in the order of their bytes.
 */
export function layOut(
  tensors: ReadonlyMap<string, Declaration>,
  dataLength: number,
): Map<string, TensorInfo> {
  const inOrder = [...tensors].sort(([, a], [, b]) =>
    compare(a.begin, b.begin) || compare(a.end, b.end)
  );
  const infos = new Map<string, TensorInfo>();
  let position: U64 = 0;
  for (const [name, tensor] of inOrder) {
    checkPlace(name, tensor, position);
    checkSize(name, tensor);
    infos.set(name, toInfo(tensor));
    position = tensor.end;
  }
  if (position !== dataLength) {
    throw new SafetensorsError(
      "MetadataIncompleteBuffer",
      `Cannot place tensors as they must fill the ${dataLength} bytes after the header: ` +
        `current value is ${position}`,
    );
  }
  return infos;
}

function compare(a: U64, b: U64): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function checkPlace(name: string, { begin, end }: Declaration, position: U64): void {
  if (begin === position && end >= begin) return;
  throw new SafetensorsError(
    "InvalidOffset",
    `Cannot place tensor ${quote(name)} as it must begin at byte ${position}, where the one ` +
      `before it ends, and must not end before that: current value is [${begin}, ${end}]`,
  );
}

function checkSize(name: string, { dtype, shape, begin, end }: Declaration): void {
  const bits = countBits(shape, dtype);
  if (bits === undefined) {
    const axes = shape.slice(0, MAX_AXES_SHOWN).join(", ");
    const rest = shape.length > MAX_AXES_SHOWN ? ", ..." : "";
    throw new SafetensorsError(
      "ValidationOverflow",
      `Cannot size tensor ${quote(name)} as its bits must be fewer than 2^64: ` +
        `current value is ${dtype} [${axes}${rest}]`,
    );
  }
  const bytes = divide(bits, 8);
  if (bytes === undefined) {
    throw new SafetensorsError(
      "MisalignedSlice",
      `Cannot size tensor ${quote(name)} as its elements must fill whole bytes: ` +
        `current value is ${bits} bits`,
    );
  }
  const span = subtract(end, begin);
  if (span !== bytes) {
    throw new SafetensorsError(
      "TensorInvalidInfo",
      `Cannot size tensor ${quote(name)} as its dtype and shape ask for ${bytes} bytes: ` +
        `current value is ${span}`,
    );
  }
}

/** Multiplies in the reference's order: an overflow counts even where a 0 follows. */
function countBits(shape: readonly U64[], dtype: Dtype): U64 | undefined {
  let elements: U64 | undefined = 1;
  for (const size of shape) {
    elements = multiply(elements, size);
    if (elements === undefined) return undefined;
  }
  return multiply(elements, DTYPES[dtype].bits);
}

function toInfo({ dtype, shape, begin, end }: Declaration): TensorInfo {
  const byteOffset = Number(begin);
  return { dtype, shape: toNumbers(shape), byteOffset, byteLength: Number(end) - byteOffset };
}

/** Beside a 0, a size may be more than a number can hold. */
function toNumbers(shape: U64[]): number[] {
  const isNumber = (size: U64) => typeof size === "number";
  return shape.every(isNumber) ? shape : shape.map((size) => isNumber(size) ? size : Infinity);
}
