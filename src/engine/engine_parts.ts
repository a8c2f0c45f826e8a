import type { Checkpoint } from "../requests/architecture/checkpoint.ts";
import { MOST_REQUESTS } from "../requests/engine_request.ts";
import type { ActivationCache } from "./activations/cache.ts";
import type { PromptActivations } from "./activations/prompt_activations.ts";
import type { EngineInfo } from "./engine_info.ts";
import { FlowReduction } from "./flow/reduction.ts";
import type { Gpu } from "./gpu/device.ts";
import type { WeightType } from "../requests/weight_type.ts";
import type { AttentionKernels } from "./model/attention_trial.ts";
import type { AdapterChoice } from "./gpu/find_adapter.ts";
import { checkCapacity } from "./model/capacity.ts";
import { compileForward } from "./model/bound_model.ts";
import { Forward } from "./model/forward.ts";
import { loadWeights, type OnProgress, type Weights } from "./model/weights.ts";
import type { PassPieces } from "./passes/pass_pieces.ts";
import { Saes, type SaeSource } from "./sae/saes.ts";
import { tuneAttention } from "./tune_attention.ts";
import { tilingsOf, tuneLinears, type TuningOptions } from "./tuning.ts";

/** The parts that all models on a device share. */
export interface Shared {
  readonly gpu: Gpu;
  readonly cache: ActivationCache<PromptActivations>;
}

/** Options of an engine. */
export interface EngineOptions {
  /** The caller may close it once the engine is created. */
  readonly checkpoint: Checkpoint;
  /** Bytes that cached prompts may take. */
  readonly cacheBytes: number;
  /** The machine's free memory in bytes, if it is known. */
  readonly freeMemory?: number | undefined;
  readonly tuning?: TuningOptions | undefined;
  /** How the weights of linears are kept on the device, `f32` by default. */
  readonly weightType?: WeightType | undefined;
  /** The way attention is computed, by default the one that suits the adapter. */
  readonly attention?: AttentionKernels | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Another engine's device and cache, to be used too. */
  readonly shared?: Shared | undefined;
  /** Which adapter is opened, where no engine shares its device. */
  readonly adapter?: AdapterChoice | undefined;
  /** How passes are cut into pieces, by default by their time. */
  readonly pieces?: PassPieces | undefined;
  /** Autoencoders to be served with the model. */
  readonly saes?: readonly SaeSource[] | undefined;
  /** Bytes that autoencoders may take on the device, {@linkcode SAE_BYTES} by default. */
  readonly saeBytes?: number | undefined;
}

/** Bytes that autoencoders may take by default. */
const SAE_BYTES = 2 ** 30;

/** The parts of an engine. */
export interface EngineParts {
  readonly info: EngineInfo;
  readonly weights: Weights;
  readonly forward: Forward;
  readonly reduction: FlowReduction;
  readonly pieces: PassPieces | undefined;
  readonly saes: Saes;
}

/**
 * Loads a checkpoint onto a device and compiles the kernels.
 *
 * @throws {Error} If the device has no room for the model.
 */
export async function loadParts(gpu: Gpu, options: EngineOptions): Promise<EngineParts> {
  const { checkpoint, tuning = {}, onProgress, pieces, weightType = "f32" } = options;
  const { architecture, tensors } = checkpoint;
  const { device } = gpu;
  await checkCapacity(gpu, architecture, {
    tensors,
    freeMemory: options.freeMemory,
    weightType,
  });
  const tilings = tilingsOf(weightType);
  const { kernelFor, choices } = await tuneLinears(gpu, architecture, tuning, tilings);
  const attention = options.attention ?? await tuneAttention(gpu, architecture, tuning);
  // Kernels are compiled while the disk is read; the forward pass gets them from the cache of compiled kernels.
  const [weights, reduction] = await Promise.all([
    loadWeights(device, { checkpoint, kernelFor, onProgress }),
    FlowReduction.create(device, architecture, MOST_REQUESTS),
    compileForward(device, architecture, attention),
  ]);
  const forward = await Forward.create(device, { architecture, weights, attention });
  gpu.check();
  // Weights of another type give other numbers, so they have another fingerprint.
  const fingerprint = weights.fingerprint + (weightType === "f32" ? "" : `-${weightType}`);
  const sources = options.saes ?? [];
  const saes = new Saes(device, sources, {
    budget: options.saeBytes ?? SAE_BYTES,
    epsilon: architecture.epsilon,
  });
  const info = {
    architecture,
    fingerprint,
    device: gpu.info,
    linears: choices,
    weightType,
    passTokens: 0, // until it is tuned
    saes: sources.map(({ name, config }) => ({ name, config })),
  };
  return { info, weights, forward, reduction, pieces, saes };
}
