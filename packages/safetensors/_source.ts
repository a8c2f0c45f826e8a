// Copyright 2026 the Infoflow authors. MIT license.

import { SafetensorsError } from "./error.ts";

/** Bytes that can be read from any position. */
export interface Source {
  /** How many bytes there are. */
  readonly size: number;
  /** Reads bytes from a position on; gives how many they were: some, or 0 at the end. */
  read(target: Uint8Array, position: number): Promise<number>;
  close(): void;
}

/** Fills `target` from a position on, or throws: what is missing must not pass for zeros. */
export async function fill<T extends Uint8Array>(
  source: Source,
  target: T,
  position: number,
): Promise<T> {
  for (let filled = 0; filled < target.length;) {
    const count = await source.read(target.subarray(filled), position + filled);
    if (count === 0) {
      throw new SafetensorsError(
        "MetadataIncompleteBuffer",
        `Cannot read safetensors file as it must keep the ${source.size} bytes that it had when ` +
          `it was opened: current value is ${position + filled}`,
      );
    }
    filled += count;
  }
  return target;
}
