import { InfoflowError } from "../errors.ts";
import type { Architecture } from "../requests/architecture/architecture.ts";
import type { Checkpoint } from "../requests/architecture/checkpoint.ts";
import { chosenOf } from "../requests/choice.ts";
import { type FlowResult, keptFrom, type MatrixOptions } from "../requests/flow_options.ts";
import { MOST_REQUESTS } from "../requests/engine_request.ts";
import { promptsOf, type Question, type Questions } from "../requests/questions.ts";
import type { SaeInfo } from "../requests/sae/feature_questions.ts";
import { Activations, type CacheUse } from "./activations/activations.ts";
import { ActivationCache, type CacheStats } from "./activations/cache.ts";
import { unpackTriangles } from "./activations/packed_triangles.ts";
import type { PromptActivations } from "./activations/prompt_activations.ts";
import { Analyses, areTogether, type AskedQuestion } from "./analyses/analyses.ts";
import type { DeviceContext } from "./flow/device_context.ts";
import {
  type FlowRequest,
  groupByPrompt,
  isAnyWanted,
  isPlain,
  isWanted,
  type Job,
} from "./flow/flow_request.ts";
import { MethodFlows } from "./flow/method_flows.ts";
import { FlowMethods } from "./flow/flow_methods.ts";
import { FlowReduction } from "./flow/reduction.ts";
import { AllocationError, evictWith } from "./gpu/allocate.ts";
import { type DeviceInfo, type Gpu, requestGpu } from "./gpu/device.ts";
import { checkCapacity } from "./model/capacity.ts";
import { Forward } from "./model/forward.ts";
import { makeOutputMatrices, type OutputMatrices } from "./model/output_matrices.ts";
import { type LoadProgress, loadWeights, type Weights } from "./model/weights.ts";
import { cancelled } from "./passes/cancelled.ts";
import { Changes } from "./passes/changes.ts";
import type { PassPieces } from "./passes/pass_pieces.ts";
import { passTokensOf } from "./pass_tokens.ts";
import { Passes, type RunOptions, type RunRequest } from "./passes/passes.ts";
import type { Run } from "./passes/run.ts";
import { FeatureChanges } from "./sae/feature_changes.ts";
import { Saes, type SaeSource } from "./sae/saes.ts";
import { tuneLinears, type TuningOptions } from "./tuning.ts";

/** What an engine runs, and on what. */
export interface EngineInfo {
  readonly architecture: Architecture;
  /** A hash of the architecture and of every weight. */
  readonly fingerprint: string;
  readonly device: DeviceInfo;
  /** The kernel of each shape of linears, such as `768x3072`. */
  readonly linears: Readonly<Record<string, string>>;
  /** The autoencoders that are served with the model. */
  readonly saes: readonly SaeInfo[];
  /** How many tokens of new prompts are computed in one pass of a batch job. */
  readonly passTokens: number;
}

/** What the models on a device have together. */
export interface Shared {
  readonly gpu: Gpu;
  readonly cache: ActivationCache<PromptActivations>;
}

/** How to make an engine. */
export interface EngineOptions {
  /** It stays the caller's, who may close it when the engine is there. */
  readonly checkpoint: Checkpoint;
  /** Bytes that cached prompts may take. */
  readonly cacheBytes: number;
  /** Bytes that the machine can give, where it is known. */
  readonly freeMemory?: number | undefined;
  readonly tuning?: TuningOptions | undefined;
  readonly onProgress?: LoadProgress | undefined;
  /** Another engine's device and cache, to be used too. */
  readonly shared?: Shared | undefined;
  /** How passes are cut into pieces, if not by how long they take. */
  readonly pieces?: PassPieces | undefined;
  /** Autoencoders to be served with the model. */
  readonly saes?: readonly SaeSource[] | undefined;
  /** Bytes that autoencoders may take on the device, {@linkcode SAE_BYTES} by default. */
  readonly saeBytes?: number | undefined;
}

/** Bytes that autoencoders may take by default. */
export const SAE_BYTES = 2 ** 30;

/** What an engine is made of. */
interface EngineParts {
  readonly info: EngineInfo;
  readonly weights: Weights;
  readonly forward: Forward;
  readonly reduction: FlowReduction;
  readonly pieces: PassPieces | undefined;
  readonly saes: Saes;
}

/** What it runs, the first request would have to wait for. */
const WARM_UP: FlowRequest = {
  ids: [0, 0],
  options: { byLayer: true, aggregation: "MEAN", bos: "DROP" },
};

/**
 * A model on the device: token ids in, information flow out. It does one thing at a time; requests have to be queued.
 */
export class Engine {
  readonly info: EngineInfo;
  /** What further models can be put beside this one with. */
  readonly shared: Shared;
  readonly #gpu: Gpu;
  readonly #forward: Forward;
  readonly #reduction: FlowReduction;
  readonly #activations: Activations;
  readonly #passes: Passes;
  readonly #methodFlows: MethodFlows;
  readonly #analyses: Analyses;

  private constructor(shared: Shared, parts: EngineParts) {
    const { gpu: { device } } = this.shared = shared;
    const { forward, info, pieces, reduction, saes, weights } = parts;
    const { architecture } = info;
    this.info = info;
    this.#gpu = shared.gpu;
    this.#forward = forward;
    this.#reduction = reduction;
    const activations = this.#activations = new Activations(device, info, shared.cache);
    const changes = new Changes(device, architecture);
    const passes = { forward, activations, changes, pieces };
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
    this.#methodFlows = new MethodFlows(context, reduction);
    this.#analyses = new Analyses(context);
  }

  /**
   * Opens the device, loads a checkpoint onto it and compiles the kernels.
   *
   * @throws {Error} If there is no adapter, or the device has no room for the model.
   */
  static async create(options: EngineOptions): Promise<Engine> {
    const { checkpoint, cacheBytes, tuning = {}, onProgress, shared, pieces } = options;
    const { architecture, tensors } = checkpoint;
    const gpu = shared?.gpu ?? await requestGpu();
    const { device } = gpu;
    try {
      await checkCapacity(gpu, architecture, { tensors, freeMemory: options.freeMemory });
      const { kernelFor, choices } = await tuneLinears(gpu, architecture, tuning);
      // Kernels are compiled while the disk is read; what was compiled, the forward pass finds there.
      const [weights, reduction] = await Promise.all([
        loadWeights(device, { checkpoint, kernelFor, onProgress }),
        FlowReduction.create(device, architecture, MOST_REQUESTS),
        Forward.compile(device, architecture),
      ]);
      const forward = await Forward.create(device, { architecture, weights });
      gpu.check();
      const { fingerprint } = weights;
      const passTokens = passTokensOf(gpu.info);
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
        passTokens,
        saes: sources.map(({ name, config }) => ({ name, config })),
      };
      // Drivers compile a kernel when it first runs.
      const parts = { info, weights, forward, reduction, pieces, saes };
      const warmUp = new Engine({ gpu, cache: new ActivationCache(0) }, parts);
      await warmUp.flow(WARM_UP.ids, WARM_UP.options);
      if (shared) return new Engine(shared, parts);
      const cache = new ActivationCache<PromptActivations>(cacheBytes);
      evictWith(device, () => cache.evict());
      return new Engine({ gpu, cache }, parts);
    } catch (error) {
      device.destroy();
      throw error;
    }
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
   * Computes several matrices, new prompts together in one pass, and each prompt once; those by other methods come after
   * all others. Requests whose callers are gone are not begun, and a long pass without callers stops at its next
   * layer.
   *
   * @param requests {@linkcode MOST_REQUESTS} at most.
   * @param cache What becomes of the activations that are computed for them.
   * @param onAnswer Told what became of each as soon as that is known.
   * @returns What became of each request, in their order; a reason is what {@linkcode flow} throws, or CANCELLED.
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
    const plain: Job[] = [];
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
    await this.#plainFlows(plain, cache, answer);
    // One of these may take longer than all others together.
    for (const index of later) {
      const flow = this.#withinMemory(() => this.#methodFlows.compute(requests[index]!, cache));
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
    const question = { name, argument } as Question;
    const [outcome] = await this.asks([{ question, isWanted }]);
    return unwrap(outcome!) as Questions[Name]["result"];
  }

  /**
   * Answers several questions. Those of one name about the model as it is have one pass for their prompts.
   *
   * @param cache What becomes of the activations that are computed for them.
   * @returns What became of each, in their order.
   */
  async asks(
    asked: readonly AskedQuestion[],
    cache: CacheUse = "keep",
  ): Promise<PromiseSettledResult<Questions[keyof Questions]["result"]>[]> {
    const outcomes: PromiseSettledResult<Questions[keyof Questions]["result"]>[] = [];
    const right: number[] = [];
    for (const [index, { question, isWanted }] of asked.entries()) {
      try {
        for (const ids of promptsOf(question)) this.#checkIds(ids, 1);
        if (!isWanted()) throw cancelled();
        right.push(index);
      } catch (reason) {
        outcomes[index] = { status: "rejected", reason };
      }
    }
    const isTogether = right.length > 1 && areTogether(right.map((index) => asked[index]!));
    for (const indices of isTogether ? [right] : right.map((index) => [index])) {
      const answers = await this.#askTogether(indices.map((index) => asked[index]!), cache);
      answers.forEach((outcome, at) => outcomes[indices[at]!] = outcome);
    }
    return outcomes;
  }

  async #askTogether(
    asked: readonly AskedQuestion[],
    cache: CacheUse,
  ): Promise<PromiseSettledResult<Questions[keyof Questions]["result"]>[]> {
    try {
      const [{ question, isWanted }] = asked as [AskedQuestion];
      return await this.#withinMemory(async () =>
        asked.length > 1 ? await this.#analyses.askTogether(asked, cache) : [{
          status: "fulfilled",
          value: await this.#analyses.ask(question, isWanted, cache),
        }]
      );
    } catch (reason) {
      if (asked.length === 1) return [{ status: "rejected", reason }];
      // One of them is to blame: by themselves, the others get their answers.
      const alone = [];
      for (const one of asked) alone.push(...await this.#askTogether([one], cache));
      return alone;
    }
  }

  /**
   * Runs the model over some prompts and asks something of what the runs leave: see {@linkcode Passes.run}.
   *
   * @throws As {@linkcode flow} does.
   */
  async run<T>(
    prompts: readonly RunRequest[],
    options: RunOptions,
    after: (run: Run) => Promise<T>,
  ): Promise<T> {
    for (const { ids } of prompts) this.#checkIds(ids, 1);
    return await this.#withinMemory(() => this.#passes.run(prompts, options, after));
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
   * Runs a pass over one token that leaves nothing behind.
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

  /** Gives the device back, on which no other model runs then either. */
  destroy(): void {
    this.#gpu.device.destroy();
  }

  /** Computes flows of attention: new prompts in one pass, and everything with one readback. */
  async #plainFlows(
    jobs: readonly Job[],
    cache: CacheUse,
    answer: (index: number, outcome: PromiseSettledResult<FlowResult>) => void,
  ): Promise<void> {
    if (jobs.length === 0) return;
    const groups = groupByPrompt(jobs);
    const isWanted = (): boolean => isAnyWanted(jobs);
    const prompts = groups.map(([job]) => ({ ids: job!.ids }));
    try {
      const flows = await this.#withinMemory(() =>
        this.#passes.run(prompts, { cache, isWanted }, (run) => this.#reduce(run, groups))
      );
      this.#activations.countHits(jobs.length - groups.length);
      for (const [index, value] of flows) answer(index, { status: "fulfilled", value });
    } catch (reason) {
      if (groups.length === 1) {
        for (const { index } of jobs) answer(index, { status: "rejected", reason });
        return;
      }
      // One of them is to blame: by themselves, the others get their answers.
      for (const group of groups) await this.#plainFlows(group, cache, answer);
    }
  }

  /** @returns The flow of each job, by its index. */
  async #reduce(
    run: Run,
    groups: readonly (readonly Job[])[],
  ): Promise<ReadonlyMap<number, FlowResult>> {
    const jobs = groups.flatMap((group, at) => {
      const prompt = run.prompts[at]!;
      const { ids, activations } = prompt;
      return group.map((job) => ({ ...job, prompt, activations, tokens: ids.length }));
    });
    const flows = await this.#reduction.prepare(jobs);
    const numbers = await run.read({
      result: [flows],
      fields: flows.fields.map((fields) => ({ ...fields, prompt: jobs[fields.job]!.prompt })),
      encode: (recorder, bound) => this.#reduction.encode(recorder.pass, flows, bound),
    });
    return new Map(
      this.#reduction.split(flows, numbers).map((matrix, at) => {
        const { index, isRepeated, prompt } = jobs[at]!;
        return [index, { ...matrix, cacheHit: isRepeated || prompt.cacheHit }];
      }),
    );
  }

  async #makeOutputMatrices(): Promise<OutputMatrices> {
    const { architecture } = this.info;
    const made = await makeOutputMatrices(this.#gpu.device, architecture, this.#forward);
    this.#activations.reserve(made.bytes);
    return made;
  }

  /** Says what to ask for instead, where the device has no room even with no other prompt on it. */
  async #withinMemory<T>(compute: () => Promise<T>): Promise<T> {
    try {
      return await compute();
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error;
      throw new InfoflowError(
        "MATRIX_TOO_LARGE",
        `${error.message}; ask with a shorter prompt, or for fewer matrices of it`,
      );
    }
  }

  #check({ ids, options }: FlowRequest): void {
    this.#checkIds(ids, keptFrom(options) + 1);
    chosenOf(options, this.info.architecture);
  }

  #checkIds(ids: readonly number[], fewest: number): void {
    const { context, vocabulary } = this.info.architecture;
    if (ids.length < fewest || ids.length > context) {
      throw new RangeError(
        `Cannot run a prompt as it must have ${fewest} to ${context} tokens: current value is ${ids.length}`,
      );
    }
    const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
    if (wrong !== undefined) {
      throw new RangeError(
        `Cannot run a prompt as token ids must lie below ${vocabulary}: current value is ${wrong}`,
      );
    }
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
