import { open } from "../packages/safetensors/mod.ts";

/** A prompt and what a reference implementation makes of it. */
export interface Case {
  readonly ids: readonly number[];
  /** (L, H, T, T) */
  readonly patterns: Float32Array;
  /** (L, T - 1, T - 1) */
  readonly byLayer: Float32Array;
}

/** Reads a case from a safetensors file with `patterns`, `info_flow_by_layer` and, in its metadata, `ids`. */
export async function readCase(path: string): Promise<Case> {
  await using file = await open(path);
  return {
    ids: JSON.parse(file.metadata.get("ids")!) as number[],
    patterns: await file.float32("patterns"),
    byLayer: await file.float32("info_flow_by_layer"),
  };
}
