import type { Checkpoint } from "../../requests/architecture/checkpoint.ts";

/** Reads the matrix that the heads of a layer write with, W_O: (C, C), a row for each channel of the heads. */
export async function readOutput(
  checkpoint: Checkpoint,
  layer: number,
): Promise<Float32Array<ArrayBuffer>> {
  const parts = checkpoint.tensors.layers[layer]!;
  return await checkpoint.read(parts.find(({ name }) => name === "attentionOut")!.weight);
}
