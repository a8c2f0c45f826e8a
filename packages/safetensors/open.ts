// Copyright 2026 the Infoflow authors. MIT license.

import { FileSource } from "./_file_source.ts";
import { openSource } from "./_open_source.ts";
import type { SafetensorsFile } from "./safetensors_file.ts";

export type { ReadOptions, SafetensorsFile } from "./safetensors_file.ts";

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
