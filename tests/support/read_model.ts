import type { Architecture } from "../../src/requests/architecture/architecture.ts";
import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { layerParameters, sharedParameters } from "../../src/requests/architecture/parameters.ts";
import type { Weights } from "../reference/gpt2.ts";

/** A model in host memory, for the float64 reference. */
export interface HostModel {
  readonly architecture: Architecture;
  readonly weights: Weights;
}

/** Reads a whole model. */
export async function readModel(directory: string): Promise<HostModel> {
  await using checkpoint = await openCheckpoint(directory);
  const { architecture } = checkpoint;
  const weights = new Map<string, Float32Array>();
  const parameters = sharedParameters(architecture);
  for (let l = 0; l < architecture.layers; l++) {
    parameters.push(...layerParameters(architecture, l));
  }
  for (const parameter of parameters) weights.set(parameter.name, await checkpoint.read(parameter));
  return { architecture, weights };
}
