import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { FlowMethods } from "./flow_methods.ts";
import type { Forward } from "../model/forward.ts";
import type { OutputMatrices } from "../model/output_matrices.ts";
import type { Weights } from "../model/weights.ts";
import type { Saes } from "../sae/saes.ts";
import type { Passes } from "../passes/passes.ts";

/** The context of flow methods and analyses: the device, the model on it, and the passes. */
export interface DeviceContext {
  readonly device: GPUDevice;
  readonly architecture: Architecture;
  readonly weights: Weights;
  readonly forward: Forward;
  readonly passes: Passes;
  readonly methods: FlowMethods;
  /** Makes the heads' output matrices, once. */
  readonly outputMatrices: () => Promise<OutputMatrices>;
  /** The autoencoders that are served with the model. */
  readonly saes: Saes;
  /** How many tokens of new prompts go into one pass of a batch job. */
  readonly passTokens: number;
  /** Evicts prompts until `bytes` more fit into the budget of the cache. */
  makeRoom(bytes: number): void;
  /** Counts bytes that stay on the device as long as the engine. */
  reserve(bytes: number): void;
}
