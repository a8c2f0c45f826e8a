// Copyright 2026 the Infoflow authors. MIT license.

import { SafetensorsError } from "./error.ts";
import { parseHeader } from "./_header.ts";
import { layOut } from "./_layout.ts";
import { quote } from "./_quote.ts";
import type { TensorInfo } from "./tensor_info.ts";

/** The bytes before the header, which hold its length. */
export const PREFIX_LENGTH = 8;

const MAX_HEADER_LENGTH = 100_000_000;

/** What a header says, checked. */
export interface CheckedHeader {
  tensors: ReadonlyMap<string, TensorInfo>;
  metadata: ReadonlyMap<string, string>;
}

/**
 * Reads the length of the header and checks it, so that nothing is allocated for a header that
 * cannot be there.
 *
 * @param prefix The first 8 bytes of the file, or all of a shorter file.
 * @param fileLength The bytes of the file.
 */
export function readHeaderLength(prefix: Uint8Array, fileLength: number): number {
  if (prefix.length < PREFIX_LENGTH) {
    throw new SafetensorsError(
      "HeaderTooSmall",
      `Cannot read safetensors header as the ${PREFIX_LENGTH} bytes of its length must come ` +
        `first: current value is ${prefix.length} bytes`,
    );
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, PREFIX_LENGTH);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER_LENGTH) {
    throw new SafetensorsError(
      "HeaderTooLarge",
      `Cannot read safetensors header as it must have at most ${MAX_HEADER_LENGTH} bytes: ` +
        `current value is ${length}`,
    );
  }
  if (PREFIX_LENGTH + Number(length) > fileLength) {
    throw new SafetensorsError(
      "InvalidHeaderLength",
      `Cannot read safetensors header as at most ${fileLength - PREFIX_LENGTH} bytes of the file ` +
        `are left for it: current value is ${length}`,
    );
  }
  return Number(length);
}

/**
 * Reads a header and checks it against the length of what follows it. A file that is wrong in
 * several ways is refused for what the reference would find first.
 *
 * @param bytes The header.
 * @param dataLength The bytes after the header.
 */
export function readHeader(bytes: Uint8Array, dataLength: number): CheckedHeader {
  const { tensors, metadata, repeatedKey } = parseHeader(decode(bytes));
  const checked = { tensors: layOut(tensors, dataLength), metadata };
  // The specification forbids it, the reference overlooks it: look last, so that its errors win.
  if (repeatedKey !== undefined) {
    throw new SafetensorsError(
      "InvalidHeaderDeserialization",
      `Cannot parse safetensors header as a key must not come twice: ` +
        `current value is ${quote(repeatedKey)}`,
    );
  }
  return checked;
}

function decode(bytes: Uint8Array): string {
  try {
    // A byte order mark is an error of the JSON, so it must not be dropped here.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new SafetensorsError(
      "InvalidHeader",
      `Cannot decode safetensors header as it must be UTF-8: current value is ${bytes.length} ` +
        "bytes that are not",
      { cause },
    );
  }
}
