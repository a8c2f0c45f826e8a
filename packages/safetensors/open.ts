// Copyright 2026 the Infoflow authors. MIT license.

import { FileSource } from "./_file_source.ts";
import { openSource } from "./_open_source.ts";
import type { TensorInfo } from "./tensor_info.ts";

/** What to read of a tensor. */
export interface ReadOptions {
  /**
   * The first row to read and the one to stop before, along the tensor's first axis; all of the
   * tensor by default.
   */
  readonly rows?: readonly [start: number, end: number];
}

/**
 * A safetensors file on disk, of which only the header is in memory.
 *
 * All reads throw a {@linkcode SafetensorsError} with code `TensorNotFound` for a name that is not
 * in the header, with `MisalignedSlice` for rows that begin or end within a byte, and with
 * `MetadataIncompleteBuffer` if the file was cut short since it was opened; a `RangeError` for rows
 * that the tensor does not have; and a `TypeError` once the file is closed. Calls may overlap: they
 * are served one after another, and those still waiting when the file is closed fail.
 */
export interface SafetensorsFile extends Disposable, AsyncDisposable {
  /** The tensors by name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The strings under the header's `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;

  /**
   * Reads a tensor's bytes into new memory.
   *
   * @param name The tensor's name.
   * @param options What to read of it.
   * @returns The bytes, which begin at offset 0 of their buffer.
   */
  read(name: string, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * Reads a tensor's bytes into memory of the caller's.
   *
   * @param name The tensor's name.
   * @param target Where the bytes go; it may be longer than they are.
   * @param options What to read of it.
   * @returns The part of `target` that was filled.
   * @throws {RangeError} If `target` is too short.
   */
  readInto(name: string, target: Uint8Array, options?: ReadOptions): Promise<Uint8Array>;

  /**
   * Reads a tensor of F32, F16, BF16 or F64 as float32 into new memory.
   *
   * @param name The tensor's name.
   * @param options What to read of it.
   * @returns The elements in row-major order.
   * @throws {TypeError} If the tensor has another dtype.
   */
  float32(name: string, options?: ReadOptions): Promise<Float32Array<ArrayBuffer>>;

  /**
   * Reads a tensor of F32, F16, BF16 or F64 as float32 into memory of the caller's. Beside it, a
   * conversion takes no more than a buffer of 4 MiB.
   *
   * @param name The tensor's name.
   * @param target Where the elements go; it may be longer than they are.
   * @param options What to read of it.
   * @returns The part of `target` that was filled.
   * @throws {TypeError} If the tensor has another dtype.
   * @throws {RangeError} If `target` is too short.
   */
  float32Into(name: string, target: Float32Array, options?: ReadOptions): Promise<Float32Array>;

  /** Closes the file; once is enough, and more is no error. */
  close(): void;
}

/**
 * Opens a safetensors file: reads its header, checks it against the length of the file, and leaves
 * the tensors on disk until they are asked for. Needs `--allow-read`.
 *
 * @param path Where the file is.
 * @returns The open file.
 * @throws {SafetensorsError} If the file breaks a rule of the format; `code` says which.
 * @throws {TypeError} If there is something else than a file, such as a directory.
 * @throws {Error} What `Deno.open` throws, such as `Deno.errors.NotFound`.
 *
 * @example Usage
 * ```ts
 * import { open } from "@infoflow/safetensors";
 * import assert from "node:assert/strict";
 *
 * await using file = await open(new URL("./testdata/example.safetensors", import.meta.url));
 * assert.deepEqual(file.tensors.get("embedding")?.shape, [3, 2]);
 * assert.deepEqual(await file.float32("bias"), new Float32Array([0.5, -0.5]));
 * ```
 *
 * @example Reading a large tensor by rows, in the memory of one step
 * ```ts
 * import { open } from "@infoflow/safetensors";
 * import assert from "node:assert/strict";
 *
 * await using file = await open(new URL("./testdata/example.safetensors", import.meta.url));
 * const [rows = 0, columns = 0] = file.tensors.get("embedding")?.shape ?? [];
 * const step = 2;
 * const buffer = new Float32Array(step * columns);
 * let sum = 0;
 * for (let start = 0; start < rows; start += step) {
 *   const end = Math.min(start + step, rows);
 *   const part = await file.float32Into("embedding", buffer, { rows: [start, end] });
 *   sum += part.reduce((a, b) => a + b);
 * }
 * assert.equal(sum, 1 + 2 + 3 + 4 + 5 + 6);
 * ```
 */
export async function open(path: string | URL): Promise<SafetensorsFile> {
  const file = await Deno.open(path, { read: true });
  try {
    const { isFile, size } = await file.stat();
    if (!isFile) {
      throw new TypeError(
        `Cannot open safetensors file as it must be a regular file: current value is ${path}`,
      );
    }
    return await openSource(new FileSource(file, size));
  } catch (error) {
    file.close();
    throw error;
  }
}
