// Copyright 2026 the Infoflow authors. MIT license.

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
