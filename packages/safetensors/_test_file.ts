// Copyright 2026 the Infoflow authors. MIT license.

import assert from "node:assert/strict";
import { SafetensorsError, type SafetensorsErrorCode } from "./error.ts";
import { openSource } from "./_open_source.ts";
import { parse } from "./parse.ts";
import type { Source } from "./_source.ts";

function encode(header: string | readonly number[]): ArrayLike<number> {
  return typeof header === "string" ? new TextEncoder().encode(header) : header;
}

/**
 * Builds a file by hand: 8 bytes of length, the header, the data.
 *
 * @param header Its text or its bytes.
 * @param data The bytes after the header, or their number; then they are 0, 1, 2, and so on.
 * @param length What the file says about the header's length; the truth by default.
 */
export function file(
  header: string | readonly number[],
  data: number | readonly number[] = 0,
  length = BigInt(encode(header).length),
): Uint8Array<ArrayBuffer> {
  const headerBytes = encode(header);
  const dataBytes = typeof data === "number" ? Array.from({ length: data }, (_, i) => i) : data;
  const bytes = new Uint8Array(8 + headerBytes.length + dataBytes.length);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  bytes.set(headerBytes, 8);
  bytes.set(dataBytes, 8 + headerBytes.length);
  return bytes;
}

/** A header with the one tensor "a". */
export function header(dtype: string, shape: string, offsets: string): string {
  return `{"a":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`;
}

/** A source over bytes in memory, which gives at most `step` of them a read. */
export function memorySource(bytes: Uint8Array, step = Infinity): Source {
  return {
    size: bytes.length,
    read(target, position) {
      const part = bytes.subarray(position, position + Math.min(target.length, step));
      target.set(part);
      return Promise.resolve(part.length);
    },
    close() {},
  };
}

/** Asserts that a file is refused, and for the same reason in memory as through a source. */
export async function assertRefused(
  bytes: Uint8Array,
  code: SafetensorsErrorCode,
  message: string,
): Promise<void> {
  const expected = { name: "SafetensorsError", code, message };
  assert.throws(() => parse(bytes), expected);
  assert.throws(() => parse(bytes), SafetensorsError);
  await assert.rejects(() => openSource(memorySource(bytes)), expected);
}

/** Asserts that a header is refused as malformed; the message begins the same for all of them. */
export async function assertMalformed(
  header: string | readonly number[],
  rest: string,
): Promise<void> {
  const message = `Cannot parse safetensors header as ${rest}`;
  await assertRefused(file(header), "InvalidHeaderDeserialization", message);
}

/** Asserts that a header is taken, and gives the names of its tensors. */
export async function assertTaken(bytes: Uint8Array): Promise<string[]> {
  const { tensors, metadata } = parse(bytes);
  const opened = await openSource(memorySource(bytes));
  assert.deepEqual(opened.tensors, tensors);
  assert.deepEqual(opened.metadata, metadata);
  return [...tensors.keys()];
}
