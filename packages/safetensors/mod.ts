// Copyright 2026 the Infoflow authors. MIT license.

/**
 * Reads safetensors files, the format that holds the weights of most published models, as strictly
 * as its reference implementation does. Without dependencies.
 *
 * {@linkcode parse} takes a file that is in memory, {@linkcode open} a file on disk, of which it
 * reads the header and then single tensors, or rows of them. Both check every rule of the format
 * before they allocate anything for a tensor, and throw a {@linkcode SafetensorsError} whose `code`
 * names the broken rule. {@linkcode toFloat32} converts F32, F16, BF16 and F64; {@linkcode DTYPES}
 * describes all 22 dtypes.
 *
 * ## Limitations
 *
 * - It reads; it does not write.
 * - Dtypes other than F32, F16, BF16 and F64 are given as bytes only.
 * - A model that is split over several files is several files here: the index beside them, a JSON
 *   file of its own, is not part of the format.
 * - The host must be little-endian, as all hosts that Deno runs on are.
 *
 * @example Usage
 * ```ts
 * import { open } from "@infoflow/safetensors";
 * import assert from "node:assert/strict";
 *
 * await using file = await open(new URL("./testdata/example.safetensors", import.meta.url));
 *
 * for (const [name, { dtype, shape }] of file.tensors) {
 *   assert(["embedding", "bias"].includes(name));
 *   assert(dtype === "F32" || dtype === "F16");
 *   assert(shape.length > 0);
 * }
 * assert.equal(file.metadata.get("format"), "pt");
 * assert.deepEqual(await file.float32("bias"), new Float32Array([0.5, -0.5]));
 * assert.deepEqual(
 *   await file.float32("embedding", { rows: [1, 2] }),
 *   new Float32Array([3, 4]),
 * );
 * ```
 *
 * @module
 */

export * from "./dtype.ts";
export * from "./error.ts";
export * from "./open.ts";
export * from "./parse.ts";
export * from "./tensor_info.ts";
export * from "./to_float32.ts";
