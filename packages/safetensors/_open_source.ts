// Copyright 2026 the Infoflow authors. MIT license.

import { checkFloat, CONVERTERS, type FloatDtype } from "./_convert.ts";
import { DTYPES } from "./dtype.ts";
import { find } from "./_find.ts";
import { type CheckedHeader, PREFIX_LENGTH, readHeader, readHeaderLength } from "./_read_header.ts";
import { type ByteRange, rowRange } from "./_row_range.ts";
import type { ReadOptions, SafetensorsFile } from "./safetensors_file.ts";
import { fill, type Source } from "./_source.ts";
import type { TensorInfo } from "./tensor_info.ts";

/** What is converted at once: much, as a read costs a trip through a thread pool; whole F64s. */
const CHUNK_LENGTH = 4 * 1024 * 1024;

/** Does what {@linkcode open} does, for a file in any source. */
export async function openSource(source: Source): Promise<SafetensorsFile> {
  const prefix = new Uint8Array(Math.min(PREFIX_LENGTH, source.size));
  const length = readHeaderLength(await fill(source, prefix, 0), source.size);
  const header = await fill(source, new Uint8Array(length), PREFIX_LENGTH);
  const dataStart = PREFIX_LENGTH + length;
  return new SourceFile(source, dataStart, readHeader(header, source.size - dataStart));
}

interface FloatRange extends ByteRange {
  dtype: FloatDtype;
  elementSize: number;
  /** In elements. */
  length: number;
}

class SourceFile implements SafetensorsFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: Source;
  readonly #dataStart: number;
  #isOpen = true;

  constructor(source: Source, dataStart: number, { tensors, metadata }: CheckedHeader) {
    this.#source = source;
    this.#dataStart = dataStart;
    this.tensors = tensors;
    this.metadata = metadata;
  }

  async read(name: string, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>> {
    const { byteOffset, byteLength } = this.#range(name, options);
    return await this.#fill(new Uint8Array(byteLength), byteOffset);
  }

  async readInto(name: string, target: Uint8Array, options?: ReadOptions): Promise<Uint8Array> {
    const { byteOffset, byteLength } = this.#range(name, options);
    return await this.#fill(firstOf(target, byteLength), byteOffset);
  }

  async float32(name: string, options?: ReadOptions): Promise<Float32Array<ArrayBuffer>> {
    const range = this.#floatRange(name, options);
    return await this.#fillFloats(new Float32Array(range.length), range);
  }

  async float32Into(
    name: string,
    target: Float32Array,
    options?: ReadOptions,
  ): Promise<Float32Array> {
    const range = this.#floatRange(name, options);
    return await this.#fillFloats(firstOf(target, range.length), range);
  }

  close(): void {
    if (this.#isOpen) this.#source.close();
    this.#isOpen = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.close());
  }

  #range(name: string, options?: ReadOptions): ByteRange {
    if (!this.#isOpen) {
      throw new TypeError("Cannot read tensor as the file must be open: current value is closed");
    }
    return rowRange(find(this.tensors, name), options?.rows);
  }

  #floatRange(name: string, options?: ReadOptions): FloatRange {
    const { byteOffset, byteLength } = this.#range(name, options);
    const dtype = checkFloat(find(this.tensors, name).dtype);
    const elementSize = DTYPES[dtype].bits / 8;
    return { byteOffset, byteLength, dtype, elementSize, length: byteLength / elementSize };
  }

  #fill<T extends Uint8Array>(target: T, byteOffset: number): Promise<T> {
    return fill(this.#source, target, this.#dataStart + byteOffset);
  }

  async #fillFloats<T extends Float32Array>(target: T, range: FloatRange): Promise<T> {
    const { byteOffset, byteLength, dtype, elementSize } = range;
    if (dtype === "F32") {
      await this.#fill(new Uint8Array(target.buffer, target.byteOffset, byteLength), byteOffset);
      return target;
    }
    const buffer = new Uint8Array(Math.min(CHUNK_LENGTH, byteLength));
    for (let done = 0; done < byteLength; done += CHUNK_LENGTH) {
      const chunk = buffer.subarray(0, byteLength - done);
      await this.#fill(chunk, byteOffset + done);
      CONVERTERS[dtype](chunk, target.subarray(done / elementSize));
    }
    return target;
  }
}

/** The part of a caller's array that will be filled. */
function firstOf<T extends Uint8Array | Float32Array>(target: T, length: number): T {
  if (target.length < length) {
    throw new RangeError(
      `Cannot read tensor as the target must have room for ${length} elements: ` +
        `current value is ${target.length}`,
    );
  }
  return target.subarray(0, length) as T;
}
