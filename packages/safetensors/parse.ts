// Copyright 2026 the Infoflow authors. MIT license.

import { find } from "./_find.ts";
import { PREFIX_LENGTH, readHeader, readHeaderLength } from "./_read_header.ts";
import type { TensorInfo } from "./tensor_info.ts";
import { toFloat32 } from "./to_float32.ts";

/** A safetensors file in memory. */
export interface Safetensors {
  /** The tensors by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The strings under the header's `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;

  /**
   * Gives a tensor's bytes.
   *
   * @param name The tensor's name.
   * @returns A view of the bytes that were parsed, not a copy.
   * @throws {SafetensorsError} With code `TensorNotFound`.
   */
  bytes(name: string): Uint8Array;

  /**
   * Gives a tensor's elements as float32, in row-major order.
   *
   * @param name The tensor's name.
   * @returns A view of the bytes that were parsed if the tensor is F32 and lies aligned to 4
   * within its buffer, otherwise a converted copy: see {@linkcode toFloat32}.
   * @throws {SafetensorsError} With code `TensorNotFound`.
   * @throws {TypeError} If the tensor is not F32, F16, BF16 or F64.
   */
  float32(name: string): Float32Array;
}

/**
 * Parses a safetensors file that is in memory. Only the header is read; the tensors stay where
 * they are. For a file on disk, {@linkcode open} reads less.
 *
 * @param bytes The whole file.
 * @returns What the file holds.
 * @throws {SafetensorsError} If the file breaks a rule of the format; `code` says which.
 *
 * @example Usage
 * ```ts
 * import { parse } from "@infoflow/safetensors";
 * import assert from "node:assert/strict";
 *
 * const header = '{"scale":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}';
 * const file = new Uint8Array([
 *   ...[header.length, 0, 0, 0, 0, 0, 0, 0],
 *   ...new TextEncoder().encode(header),
 *   ...[0x80, 0x3f, 0x00, 0xc0],
 * ]);
 *
 * const { tensors, float32 } = parse(file);
 * assert.deepEqual(tensors.get("scale")?.shape, [2]);
 * assert.deepEqual(float32("scale"), new Float32Array([1, -2]));
 * ```
 */
export function parse(bytes: Uint8Array): Safetensors {
  const headerLength = readHeaderLength(bytes.subarray(0, PREFIX_LENGTH), bytes.length);
  const data = bytes.subarray(PREFIX_LENGTH + headerLength);
  const header = bytes.subarray(PREFIX_LENGTH, PREFIX_LENGTH + headerLength);
  const { tensors, metadata } = readHeader(header, data.length);

  function view({ byteOffset, byteLength }: TensorInfo): Uint8Array {
    return data.subarray(byteOffset, byteOffset + byteLength);
  }
  return {
    tensors,
    metadata,
    bytes: (name) => view(find(tensors, name)),
    float32: (name) => {
      const info = find(tensors, name);
      return toFloat32(view(info), info.dtype);
    },
  };
}
