import { chosenOf } from "../requests/choice.ts";
import { type FlowResult, keptFrom, type MatrixOptions } from "../requests/flow_options.ts";
import { Measures } from "./flow/methods.ts";
import { FlowReduction } from "./flow/reduction.ts";
import { type DeviceInfo, type Gpu, requestGpu } from "./gpu/device.ts";
import type { Architecture } from "../requests/architecture/architecture.ts";
import { checkCapacity } from "./model/capacity.ts";
import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import { Forward } from "./model/forward.ts";
import { makeOutputMatrices, type OutputMatrices } from "./model/output_matrices.ts";
import { type LoadProgress, loadWeights, type Weights } from "./model/weights.ts";
import { type CacheStats, PatternCache } from "./activations/cache.ts";
import type { PatternEntry } from "./activations/prompt_activations.ts";
import { unpackTriangles } from "./activations/packed_triangles.ts";
import { Asker } from "./analyses/analyses.ts";
import { Workbench } from "./analyses/device_context.ts";
import type { Question, Questions } from "../requests/questions.ts";
import {
  cancelled,
  type FlowRequest,
  groupByPrompt,
  isAnyWanted,
  isPlain,
  isWanted,
  type Job,
  type Prompt,
} from "./flow/flow_request.ts";
import { MeasuredFlows } from "./flow/method_flows.ts";
import { PassRunner } from "./passes/pass_runner.ts";
import { PromptStore, type PromptWork } from "./passes/prompt_plan.ts";
import { Settler } from "./passes/materialize.ts";
import { tuneLinears, type TuningOptions } from "./tuning.ts";

/** What an engine runs, and on what. */
export interface EngineInfo {
  readonly architecture: Architecture;
  /** A hash of the architecture and of every weight. */
  readonly fingerprint: string;
  readonly device: DeviceInfo;
  /** The kernel of each shape of linears, such as `768x3072`. */
  readonly linears: Readonly<Record<string, string>>;
}

/** What the models on a device have together. */
export interface Shared {
  readonly gpu: Gpu;
  readonly cache: PatternCache<PatternEntry>;
}

/** How to make an engine. */
export interface EngineOptions {
  /** Where `config.json` and `model.safetensors` are. */
  readonly directory: string;
  /** Bytes that cached prompts may take. */
  readonly cacheBytes: number;
  readonly tuning?: TuningOptions | undefined;
  readonly onProgress?: LoadProgress | undefined;
  /** Another engine's device and cache, to be used too. */
  readonly shared?: Shared | undefined;
}

/** The most requests that are answered with one submission. */
export const MOST_REQUESTS = 16;

/** Between them these run every kernel. */
const WARM_UP: readonly FlowRequest[] = [
  { ids: [0, 0], options: { byLayer: false, aggregation: "ROLLOUT", bos: "DROP", heads: [0] } },
  { ids: [0, 0], options: { byHead: true, bos: "DROP" } },
];

/**
 * A model on the device: token ids in, information flow out. It does one thing at a time; whoever has several
 * requests queues them.
 */
export class Engine {
  readonly info: EngineInfo;
  /** What further models can be put beside this one with. */
  readonly shared: Shared;
  readonly #gpu: Gpu;
  readonly #forward: Forward;
  readonly #reduction: FlowReduction;
  readonly #store: PromptStore;
  readonly #runner: PassRunner;
  readonly #measured: MeasuredFlows;
  readonly #asker: Asker;

  private constructor(
    shared: Shared,
    parts: { info: EngineInfo; weights: Weights; forward: Forward; reduction: FlowReduction },
  ) {
    const { gpu } = this.shared = shared;
    this.info = parts.info;
    this.#gpu = gpu;
    this.#forward = parts.forward;
    this.#reduction = parts.reduction;
    const { device } = gpu;
    const { info: { architecture }, forward, reduction, weights } = parts;
    const store = this.#store = new PromptStore(device, parts.info, shared.cache);
    const settler = new Settler(gpu, architecture, { forward, store });
    // A prompt is told of for its forward pass, and once more for each step of its reduction: a slab has a layer at least.
    const most = MOST_REQUESTS * (2 + architecture.layers);
    const runner = this.#runner = new PassRunner(gpu, architecture, { forward, store, most });
    let matrices: OutputMatrices | undefined;
    const outputMatrices = async (): Promise<OutputMatrices> =>
      matrices ??= await this.#makeOutputMatrices();
    const measures = new Measures(device, architecture, { forward, outputMatrices });
    const flows = { device, architecture, runner, store, settler, measures, reduction, forward };
    this.#measured = new MeasuredFlows(flows);
    const { readback } = runner;
    const asked = {
      gpu,
      architecture,
      weights,
      forward,
      store,
      measures,
      outputMatrices,
      readback,
    };
    this.#asker = new Asker(new Workbench(asked), settler);
  }

  /**
   * Opens the device, loads a checkpoint onto it and compiles the kernels.
   *
   * @throws {Error} If there is no adapter, the checkpoint can't be run, or the device has no room for it.
   */
  static async create(options: EngineOptions): Promise<Engine> {
    const { directory, cacheBytes, tuning = {}, onProgress, shared } = options;
    await using checkpoint = await openCheckpoint(directory);
    const { architecture } = checkpoint;
    const gpu = shared?.gpu ?? await requestGpu();
    const { device } = gpu;
    try {
      await checkCapacity(gpu, architecture);
      const { kernelFor, choices } = await tuneLinears(gpu, architecture, tuning);
      const weights = await loadWeights(device, { checkpoint, kernelFor, onProgress });
      const forward = await Forward.create(device, { architecture, weights });
      const reduction = await FlowReduction.create(device, architecture, MOST_REQUESTS);
      gpu.check();
      const { fingerprint } = weights;
      const info = { architecture, fingerprint, device: gpu.info, linears: choices };
      // Drivers compile a kernel when it first runs.
      const parts = { info, weights, forward, reduction };
      const warmUp = new Engine({ gpu, cache: new PatternCache(0) }, parts);
      for (const outcome of await warmUp.flows(WARM_UP)) unwrap(outcome);
      return new Engine(shared ?? { gpu, cache: new PatternCache(cacheBytes) }, parts);
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
  get lastRun(): PassRunner["lastRun"] {
    return this.#runner.lastRun;
  }

  /** The counters of the cache. */
  get cacheStats(): CacheStats {
    return this.#store.stats;
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
   * Computes several matrices, new prompts together in one pass, and each prompt once. What nobody waits for is not
   * begun, and a long pass that nobody waits for any more stops at its next layer.
   *
   * @param requests {@linkcode MOST_REQUESTS} at most.
   * @returns What became of each request, in their order; a reason is what {@linkcode flow} throws, or CANCELLED.
   */
  async flows(requests: readonly FlowRequest[]): Promise<PromiseSettledResult<FlowResult>[]> {
    const outcomes: PromiseSettledResult<FlowResult>[] = [];
    const reject = (jobs: readonly Job[], reason: unknown): void => {
      for (const { index } of jobs) outcomes[index] = { status: "rejected", reason };
    };
    const together: Prompt[] = [];
    const plain: Job[] = [];
    for (const [index, request] of requests.entries()) {
      if (!isWanted(request)) outcomes[index] = { status: "rejected", reason: cancelled() };
      else if (isPlain(request)) plain.push({ ...request, index, isRepeated: false });
      else outcomes[index] = await settled(this.#measuredFlow(request));
    }
    for (const jobs of groupByPrompt(plain)) {
      try {
        const prompt = { jobs, work: await this.#plan(jobs) };
        // What goes on from a known beginning needs the place of that beginning: it runs alone.
        const { first, ids } = prompt.work;
        if (first === 0 || first === ids.length) together.push(prompt);
        else await this.#answer([prompt], outcomes);
      } catch (error) {
        reject(jobs, error);
      }
    }
    if (together.length === 0) return outcomes;
    try {
      await this.#answer(together, outcomes);
    } catch (error) {
      if (together.length === 1) reject(together[0]!.jobs, error);
      // One of them is to blame: asked one by one, the others get their answers.
      else {for (const { jobs } of together) {
          const alone = await this.flows(jobs.map(({ index }) => requests[index]!));
          jobs.forEach(({ index }, i) => outcomes[index] = alone[i]!);
        }}
    }
    return outcomes;
  }

  /**
   * Answers a question that is not about a matrix of flow.
   *
   * @throws As {@linkcode flow} does.
   */
  async ask<Name extends keyof Questions>(
    name: Name,
    argument: Questions[Name]["argument"],
  ): Promise<Questions[Name]["result"]> {
    this.#checkIds(argument.ids, 1);
    return await this.#asker.ask({ name, argument } as Question);
  }

  /**
   * Computes the attention patterns of a prompt.
   *
   * @returns (L, H, T, T), row-major.
   * @throws As {@linkcode flow} does.
   */
  async patterns(ids: readonly number[]): Promise<Float32Array> {
    this.#checkIds(ids, 1);
    const { layers, heads } = this.info.architecture;
    const work = await this.#store.plan(ids);
    const { slabs, stride } = work.entry;
    const result = slabs.map(({ buffer }) => ({ buffer, bytes: buffer.size }));
    const packed = await this.#runner.run([work], {
      result,
      fields: [],
      encode: () => {},
      isWanted: () => true,
    });
    return unpackTriangles(packed, { count: layers * heads, tokens: ids.length, stride });
  }

  /**
   * Runs a pass over one token that leaves nothing behind.
   *
   * @throws {Error} If the device does not compute that a token alone attends to itself.
   */
  async probe(): Promise<void> {
    const work = await this.#store.planAlone([0]);
    const result = [{ buffer: work.entry.mean, bytes: Float32Array.BYTES_PER_ELEMENT }];
    const wanted = { result, fields: [], encode: () => {}, isWanted: () => true };
    const [attention] = await this.#runner.run([work], wanted);
    if (attention !== 1) {
      throw new Error(`Cannot use the device as a token alone attends to itself by ${attention}`);
    }
  }

  /** Gives the device back, on which no other model runs then either. */
  destroy(): void {
    this.#gpu.device.destroy();
  }

  async #plan(jobs: readonly Job[]): Promise<PromptWork> {
    const { ids } = jobs[0]!;
    for (const { options } of jobs) {
      this.#checkIds(ids, keptFrom(options) + 1);
      chosenOf(options, this.info.architecture);
    }
    const work = await this.#store.plan(ids);
    this.#store.countHits(jobs.length - 1);
    return work;
  }

  async #measuredFlow(request: FlowRequest): Promise<FlowResult> {
    const { ids, options } = request;
    this.#checkIds(ids, keptFrom(options) + 1);
    chosenOf(options, this.info.architecture);
    return await this.#measured.compute(request);
  }

  async #makeOutputMatrices(): Promise<OutputMatrices> {
    const { architecture } = this.info;
    const made = await this.#store.withRoom(() =>
      makeOutputMatrices(this.#gpu.device, architecture, this.#forward)
    );
    this.#store.reserve(made.bytes);
    return made;
  }

  async #answer(
    prompts: readonly Prompt[],
    outcomes: PromiseSettledResult<FlowResult>[],
  ): Promise<void> {
    const works = prompts.map(({ work }) => work);
    const jobs = prompts.flatMap(({ work, jobs }) =>
      jobs.map((job) => ({ ...job, work, entry: work.entry, tokens: work.ids.length }))
    );
    let flows;
    try {
      flows = await this.#store.withRoom(() => this.#reduction.prepare(jobs));
    } catch (error) {
      for (const work of works) work.abort();
      throw error;
    }
    const numbers = await this.#runner.run(works, {
      result: [flows],
      fields: flows.fields.map((fields) => ({ ...fields, work: jobs[fields.job]!.work })),
      encode: (pass, bound) => this.#reduction.encode(pass, flows, bound),
      isWanted: () => isAnyWanted(jobs),
    });
    this.#reduction.split(flows, numbers).forEach((matrix, i) => {
      const { index, work, isRepeated } = jobs[i]!;
      const cacheHit = isRepeated || work.first === work.ids.length;
      outcomes[index] = { status: "fulfilled", value: { ...matrix, cacheHit } };
    });
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

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome!;
}

function unwrap(outcome: PromiseSettledResult<FlowResult>): FlowResult {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
