import type { Architecture } from "../../src/requests/architecture/architecture.ts";
import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { inOrder } from "../../src/requests/architecture/family.ts";
import type { Weights } from "../reference/gpt2.ts";

/** A model in host memory, for the float64 reference. */
export interface HostModel {
  readonly architecture: Architecture;
  readonly weights: Weights;
}

/** Reads a whole model. */
export async function readModel(directory: string): Promise<HostModel> {
  await using checkpoint = await openCheckpoint(directory);
  const { architecture, tensors } = checkpoint;
  const weights = new Map<string, Float32Array>();
  for (const parameter of inOrder(tensors)) {
    weights.set(parameter.name, await checkpoint.read(parameter));
  }
  return { architecture, weights };
}
