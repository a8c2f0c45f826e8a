import { rowsOf, type Segment } from "./pass.ts";
import type { Weights } from "./weights.ts";

/** The stream before the first layer: x[t] = wte[id_t] + wpe[t]. @returns (rows, C) */
export function embed(
  segments: readonly Segment[],
  { wte, wpe }: Pick<Weights, "wte" | "wpe">,
  channels: number,
): Float32Array<ArrayBuffer> {
  const x = new Float32Array(rowsOf({ segments }) * channels);
  for (const { ids, first, row } of segments) {
    for (let t = first; t < ids.length; t++) {
      const [at, token, position] = [row + t - first, ids[t]!, t].map((it) => it * channels);
      for (let c = 0; c < channels; c++) x[at! + c] = wte[token! + c]! + wpe[position! + c]!;
    }
  }
  return x;
}
