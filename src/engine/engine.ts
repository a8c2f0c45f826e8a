import type { EngineInfo } from "./engine_info.ts";
import { type EngineOptions, type EngineParts, loadParts, type Shared } from "./engine_parts.ts";
import { chosenOf } from "../requests/choice.ts";
import { type FlowResult, keptFrom, type MatrixOptions } from "../requests/flow_options.ts";
import type { Answered } from "../requests/questions.ts";
import { Activations } from "./activations/activations.ts";
import type { CacheUse } from "./activations/cache_use.ts";
import { ActivationCache, type CacheStats } from "./activations/cache.ts";
import { unpackTriangles } from "./activations/packed_triangles.ts";
import type { PromptActivations } from "./activations/prompt_activations.ts";
import { Analyses, type AskedQuestion } from "./analyses/analyses.ts";
import type { Questions } from "./analyses/list.ts";
import type { DeviceContext } from "./flow/device_context.ts";
import { type FlowRequest, type IndexedRequest, isPlain, isWanted } from "./flow/flow_request.ts";
import { FlowMethods } from "./flow/flow_methods.ts";
import { MethodFlows } from "./flow/method_flows.ts";
import { PlainFlows } from "./flow/plain_flows.ts";
import { evictWith } from "./gpu/allocate.ts";
import { type Gpu, requestGpu } from "./gpu/device.ts";
import type { Forward } from "./model/forward.ts";
import { makeOutputMatrices, type OutputMatrices } from "./model/output_matrices.ts";
import { cancelled } from "./passes/cancelled.ts";
import { PassEdits } from "./passes/pass_edits.ts";
import { checkIds } from "./passes/check_ids.ts";
import { tunePassTokens } from "./pass_tokens.ts";
import { Passes, type RunOptions, type RunRequest } from "./passes/passes.ts";
import type { Run } from "./passes/run.ts";
import { withinMemory } from "./passes/within_memory.ts";
import { FeatureChanges } from "./sae/feature_changes.ts";

/** A first request, run at the start so that kernels are compiled before a user has to wait for them. */
const WARM_UP: FlowRequest = {
  ids: [0, 0],
  options: { byLayer: true, aggregation: "MEAN", bos: "DROP" },
};

/**
 * A model on the device: token ids in, information flow out. It does one thing at a time; requests have to be queued.
 */
export class Engine {
  readonly info: EngineInfo;
  /** The device and the cache, which further models can share. */
  readonly shared: Shared;
  readonly #gpu: Gpu;
  readonly #forward: Forward;
  readonly #activations: Activations;
  readonly #passes: Passes;
  readonly #plainFlows: PlainFlows;
  readonly #methodFlows: MethodFlows;
  readonly #analyses: Analyses;

  private constructor(shared: Shared, parts: EngineParts) {
    const { gpu: { device } } = this.shared = shared;
    const { forward, info, pieces, reduction, saes, weights } = parts;
    const { architecture } = info;
    this.info = info;
    this.#gpu = shared.gpu;
    this.#forward = forward;
    const activations = this.#activations = new Activations(device, info, shared.cache);
    const passEdits = new PassEdits(device, architecture);
    const passes = { forward, activations, passEdits, pieces };
    this.#passes = new Passes(shared.gpu, architecture, passes);
    let matrices: Promise<OutputMatrices> | undefined;
    const outputMatrices = (): Promise<OutputMatrices> => {
      matrices ??= this.#makeOutputMatrices();
      matrices.catch(() => matrices = undefined);
      return matrices;
    };
    const context: DeviceContext = {
      device,
      architecture,
      weights,
      forward,
      passes: this.#passes,
      methods: new FlowMethods(device, architecture, { forward, outputMatrices }),
      outputMatrices,
      saes,
      passTokens: info.passTokens,
      makeRoom: (bytes) => activations.makeRoom(bytes),
      reserve: (bytes) => activations.reserve(bytes),
    };
    this.#passes.resolver = new FeatureChanges(device, { saes, passes: this.#passes });
    this.#plainFlows = new PlainFlows({
      passes: this.#passes,
      reduction,
      countHits: (count) => activations.countHits(count),
    });
    this.#methodFlows = new MethodFlows(context, reduction);
    this.#analyses = new Analyses(context);
  }

  /**
   * Opens the device, loads a checkpoint onto it and compiles the kernels.
   *
   * @throws {Error} If there is no adapter, or the device has no room for the model.
   */
  static async create(options: EngineOptions): Promise<Engine> {
    const { adapter, cacheBytes, shared } = options;
    const gpu = shared?.gpu ?? await requestGpu(adapter);
    const { device } = gpu;
    try {
      const loaded = await loadParts(gpu, options);
      // Drivers compile a kernel when it first runs.
      const warmUp = new Engine({ gpu, cache: new ActivationCache(0) }, loaded);
      await warmUp.flow(WARM_UP.ids, WARM_UP.options);
      const { tuning = {} } = options;
      const time = (tokens: number): Promise<number> => warmUp.#timePass(tokens);
      const passTokens = await tunePassTokens(loaded.info, tuning, time);
      const parts = { ...loaded, info: { ...loaded.info, passTokens } };
      if (shared) return new Engine(shared, parts);
      const cache = new ActivationCache<PromptActivations>(cacheBytes);
      evictWith(device, () => cache.evict());
      return new Engine({ gpu, cache }, parts);
    } catch (error) {
      device.destroy();
      throw error;
    }
  }

  /** @returns How long a pass over short prompts of `tokens` tokens in all takes, in ms. */
  async #timePass(tokens: number): Promise<number> {
    const { context, vocabulary } = this.info.architecture;
    const length = Math.min(16, context);
    const prompts = Array.from({ length: Math.ceil(tokens / length) }, (_, at) => {
      return { ids: Array.from({ length }, (_, i) => (i === 0 ? at : i) % vocabulary) };
    });
    const began = performance.now();
    await this.#passes.run(prompts, { cache: "none" }, async (run) => {
      const { mean: buffer } = run.prompts.at(-1)!.activations;
      await run.read({ result: [{ buffer, bytes: Float32Array.BYTES_PER_ELEMENT }] });
    });
    return performance.now() - began;
  }

  /** Resolves with the reason when the device is gone. */
  get lost(): Promise<string> {
    return this.#gpu.device.lost.then(({ message }) => message);
  }

  /** When the last run was submitted and when it was read back, in ms since 1970. */
  get lastRun(): Passes["lastRun"] {
    return this.#passes.lastRun;
  }

  /** The counters of the cache. */
  get cacheStats(): CacheStats {
    return this.#activations.stats;
  }

  /**
   * Computes a matrix, from cached patterns as far as the prompt, or its beginning, was asked before.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE if the device can't hold the patterns or the result; BAD_USER_INPUT if a
   * layer or a head does not exist.
   * @throws {RangeError} If the ids are not a prompt of this model's.
   */
  async flow(ids: readonly number[], options: MatrixOptions): Promise<FlowResult> {
    const [outcome] = await this.flows([{ ids, options }]);
    return unwrap(outcome!);
  }

  /**
   * Computes several matrices, new prompts together in one pass, and each prompt once; those by other methods come
   * after all others. Requests whose callers are gone are not begun, and a long pass without callers stops at its next
   * layer.
   *
   * @param requests {@linkcode MOST_REQUESTS} at most.
   * @param cache How the cache is used for the activations that are computed.
   * @param onAnswer Called with each outcome as soon as it is known.
   * @returns The outcome of each request, in their order; a reason is what {@linkcode flow} throws, or CANCELLED.
   */
  async flows(
    requests: readonly FlowRequest[],
    { cache = "keep", onAnswer = () => {} }: {
      readonly cache?: CacheUse | undefined;
      readonly onAnswer?: (index: number, outcome: PromiseSettledResult<FlowResult>) => void;
    } = {},
  ): Promise<PromiseSettledResult<FlowResult>[]> {
    const outcomes: PromiseSettledResult<FlowResult>[] = [];
    const answer = (index: number, outcome: PromiseSettledResult<FlowResult>): void => {
      outcomes[index] = outcome;
      onAnswer(index, outcome);
    };
    const plain: IndexedRequest[] = [];
    const later: number[] = [];
    for (const [index, request] of requests.entries()) {
      try {
        this.#check(request);
        if (!isWanted(request)) throw cancelled();
        if (isPlain(request)) plain.push({ ...request, index, isRepeated: false });
        else later.push(index);
      } catch (reason) {
        answer(index, { status: "rejected", reason });
      }
    }
    await this.#plainFlows.compute(plain, cache, answer);
    // Last, because one of these may take longer than all others together.
    for (const index of later) {
      const flow = withinMemory(() => this.#methodFlows.compute(requests[index]!, cache));
      answer(index, await outcomeOf(flow));
    }
    return outcomes;
  }

  /**
   * Answers a question that is not about a matrix of flow.
   *
   * @param isWanted Whether the caller still waits for it.
   * @throws As {@linkcode flow} does.
   */
  async ask<Name extends keyof Questions>(
    name: Name,
    argument: Questions[Name]["argument"],
    isWanted: () => boolean = () => true,
  ): Promise<Questions[Name]["result"]> {
    const [outcome] = await this.asks([{ question: { name, argument }, isWanted }]);
    return unwrap(outcome!) as Questions[Name]["result"];
  }

  /**
   * Answers several questions. Those of one name about the unchanged model share one pass.
   *
   * @param cache How the cache is used for the activations that are computed.
   * @returns The outcome of each, in their order.
   */
  async asks(
    asked: readonly AskedQuestion[],
    cache: CacheUse = "keep",
  ): Promise<PromiseSettledResult<Answered>[]> {
    return await this.#analyses.answer(asked, cache);
  }

  /**
   * Runs the model over some prompts and reads from the activations, see {@linkcode Passes.run}.
   *
   * @throws As {@linkcode flow} does.
   */
  async run<T>(
    prompts: readonly RunRequest[],
    options: RunOptions,
    after: (run: Run) => Promise<T>,
  ): Promise<T> {
    for (const { ids } of prompts) {
      checkIds(ids, { fewest: 1, architecture: this.info.architecture });
    }
    return await withinMemory(() => this.#passes.run(prompts, options, after));
  }

  /**
   * Computes the attention patterns of a prompt.
   *
   * @returns (L, H, T, T), row-major.
   * @throws As {@linkcode flow} does.
   */
  async patterns(ids: readonly number[]): Promise<Float32Array> {
    const { layers, heads } = this.info.architecture;
    const tokens = ids.length;
    return await this.run([{ ids }], {}, async (run) => {
      const { slabs, stride } = run.prompts[0]!.activations;
      const result = slabs.map(({ buffer }) => ({ buffer, bytes: buffer.size }));
      const packed = await run.read({ result });
      return unpackTriangles(packed, { count: layers * heads, tokens, stride });
    });
  }

  /**
   * Runs a pass over one token and keeps none of its activations.
   *
   * @throws {Error} If the device does not compute that a token alone attends to itself.
   */
  async probe(): Promise<void> {
    const bytes = Float32Array.BYTES_PER_ELEMENT;
    const attention = await this.#passes.run([{ ids: [0] }], { cache: "none" }, async (run) => {
      const { mean: buffer } = run.prompts[0]!.activations;
      return (await run.read({ result: [{ buffer, bytes }] }))[0];
    });
    if (attention !== 1) {
      throw new Error(`Cannot use the device as a token alone attends to itself by ${attention}`);
    }
  }

  /** Destroys the device, also for the other models on it. */
  destroy(): void {
    this.#gpu.device.destroy();
  }

  async #makeOutputMatrices(): Promise<OutputMatrices> {
    const { architecture } = this.info;
    const made = await makeOutputMatrices(this.#gpu.device, architecture, this.#forward);
    this.#activations.reserve(made.bytes);
    return made;
  }

  #check({ ids, options }: FlowRequest): void {
    checkIds(ids, { fewest: keptFrom(options) + 1, architecture: this.info.architecture });
    chosenOf(options, this.info.architecture);
  }
}

async function outcomeOf<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome!;
}

function unwrap<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
