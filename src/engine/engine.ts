import { InfoflowError } from "../errors.ts";
import { chosenOf } from "../flow/choice.ts";
import { checkMethodWork } from "../flow/method.ts";
import {
  ablatedIn,
  type FlowMatrix,
  keptFrom,
  type MatrixOptions,
  type Method,
  methodOf,
} from "../flow/definitions.ts";
import { Measures, needsStreams } from "../flow/measures.ts";
import { FlowReduction } from "../flow/reduction.ts";
import { type DeviceInfo, type Gpu, requestGpu } from "../gpu/device.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import { type PromptFields, PromptUniform } from "../gpu/prompt_uniform.ts";
import { type DeviceResult, Readback, type Staging } from "../gpu/readback.ts";
import type { Architecture } from "../model/architecture.ts";
import { checkCapacity } from "../model/capacity.ts";
import { openCheckpoint } from "../model/checkpoint.ts";
import { Forward, type Segment } from "../model/forward.ts";
import { type LoadProgress, loadWeights, type Weights } from "../model/weights.ts";
import { type CacheStats, PatternCache } from "../patterns/cache.ts";
import { copyRows, type PatternEntry } from "../patterns/entry.ts";
import { unpackTriangles } from "../patterns/layout.ts";
import { makeOutputMatrices, type OutputMatrices } from "../model/output_matrices.ts";
import { Workbench } from "../questions/device/workbench.ts";
import { Asker } from "../questions/asker.ts";
import type { Question, Questions } from "../questions/question.ts";
import { Pace } from "./pace.ts";
import { tuneLinears, type TuningOptions } from "./tuning.ts";
import { PromptStore, type PromptWork } from "./prompt_store.ts";
import { type Settled, Settler } from "./settler.ts";

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

/** A matrix that is asked for. */
export interface FlowRequest {
  /** Token ids of the model's vocabulary: 1 to `context` of them, 2 at least where BOS is dropped. */
  readonly ids: readonly number[];
  readonly options: MatrixOptions;
  /** Whether somebody still waits for it; always, where it is not given. */
  isWanted?(): boolean;
}

/** A flow, and whether it cost a forward pass. */
export interface FlowResult extends FlowMatrix {
  readonly cacheHit: boolean;
}

/** The most requests that are answered with one submission. */
export const MOST_REQUESTS = 16;

/** Between them these run every kernel. */
const WARM_UP: readonly FlowRequest[] = [
  { ids: [0, 0], options: { byLayer: false, aggregation: "ROLLOUT", bos: "DROP", heads: [0] } },
  { ids: [0, 0], options: { byHead: true, bos: "DROP" } },
];

/** What is wanted of the device beside the patterns of some prompts. */
interface Wanted {
  readonly result: DeviceResult;
  /** What kernels are to know of each prompt that `encode` is about. */
  readonly fields: readonly (Partial<PromptFields> & {
    readonly work: Pick<PromptWork, "ids" | "entry">;
  })[];
  encode(pass: GPUComputePassEncoder, prompts: readonly BoundGroup[]): void;
  /** Whether anybody still waits for any of it. */
  isWanted(): boolean;
}

/**
 * A model on the device: token ids in, information flow out. It does one thing at a time; whoever has several
 * requests queues them.
 */
export class Engine {
  readonly info: EngineInfo;
  /** When the last run was submitted and when it was read back, in ms since 1970. */
  lastRun: { readonly submitted: number; readonly read: number } = { submitted: 0, read: 0 };
  /** What further models can be put beside this one with. */
  readonly shared: Shared;
  readonly #gpu: Gpu;
  readonly #forward: Forward;
  readonly #reduction: FlowReduction;
  readonly #readback: Readback;
  readonly #prompts: PromptUniform;
  readonly #store: PromptStore;
  readonly #settler: Settler;
  readonly #measures: Measures;
  readonly #asker: Asker;
  readonly #pace: Pace;

  private constructor(
    shared: Shared,
    parts: { info: EngineInfo; weights: Weights; forward: Forward; reduction: FlowReduction },
  ) {
    const { gpu } = this.shared = shared;
    this.info = parts.info;
    this.#gpu = gpu;
    this.#forward = parts.forward;
    this.#reduction = parts.reduction;
    this.#readback = new Readback(gpu.device);
    // A prompt is told of for its forward pass, and once more for each step of its reduction: a slab has a layer at least.
    const { architecture } = parts.info;
    this.#prompts = new PromptUniform(gpu.device, MOST_REQUESTS * (2 + architecture.layers));
    const { forward, weights } = parts;
    const store = this.#store = new PromptStore(gpu.device, parts.info, shared.cache);
    const settler = this.#settler = new Settler(gpu, architecture, { forward, store });
    let matrices: OutputMatrices | undefined;
    const outputMatrices = async (): Promise<OutputMatrices> =>
      matrices ??= await this.#makeOutputMatrices();
    const measures = new Measures(gpu.device, architecture, { forward, outputMatrices });
    this.#measures = measures;
    const readback = this.#readback;
    const bench = {
      gpu,
      architecture,
      weights,
      forward,
      store,
      measures,
      outputMatrices,
      readback,
    };
    this.#asker = new Asker(new Workbench(bench), settler);
    this.#pace = new Pace(architecture.layers);
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
    const packed = await this.#run([work], {
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
    const [attention] = await this.#run([work], wanted);
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

  /** A flow by another method, or with heads switched off. */
  async #measuredFlow(request: FlowRequest): Promise<FlowResult> {
    const { ids, options } = request;
    this.#checkIds(ids, keptFrom(options) + 1);
    chosenOf(options, this.info.architecture);
    const method = methodOf(options);
    const ablate = ablatedIn(options);
    checkMethodWork(method, this.info.architecture, ids.length);
    const settled = await this.#settler.settle(ids, { streams: needsStreams(method), ablate });
    const { entry, cacheHit } = settled;
    try {
      await this.#stopIfUnwanted(request, entry.mean);
      const measured = method === "ATTENTION" ? undefined : await this.#measure(settled, method);
      await this.#stopIfUnwanted(request, entry.mean);
      const job = { entry, tokens: ids.length, options, measured };
      const flows = await this.#store.withRoom(() => this.#reduction.prepare([job]));
      const numbers = await this.#run([], {
        result: [flows],
        fields: flows.fields.map((fields) => ({ ...fields, work: settled })),
        encode: (pass, bound) => this.#reduction.encode(pass, flows, bound),
        isWanted: () => true,
      });
      settled.commit();
      return { ...this.#reduction.split(flows, numbers)[0]!, cacheHit };
    } catch (error) {
      entry.measured.get(method)?.matrix.destroy();
      entry.measured.delete(method);
      settled.abort();
      throw error;
    }
  }

  /** Between the stages of long work: waits for the device, and ends the work if nobody waits for it any more. */
  async #stopIfUnwanted(request: FlowRequest, buffer: GPUBuffer): Promise<void> {
    if (this.#pace.pieces(request.ids.length).length === 1) return;
    await this.#pause(this.#gpu.device.createCommandEncoder({ label: "pause" }), buffer);
    if (!isWanted(request)) throw cancelled();
  }

  /** @returns The matrices of a method, (L, T, T) packed; the device is at work on them, or done. */
  async #measure(
    { ids, entry }: Settled,
    method: Exclude<Method, "ATTENTION">,
  ): Promise<GPUBuffer> {
    const known = entry.measured.get(method);
    const tokens = ids.length;
    if (known && known.tokens >= tokens) return known.matrix;
    const { device } = this.#gpu;
    const { stride } = entry;
    this.#prompts.write([{ tokens, stride }]);
    const prompt = { entry, tokens, prompt: this.#prompts.at(0) };
    this.#store.makeRoom(entry.mean.size);
    await this.#store.withRoom(() => this.#forward.reserve(tokens));
    const matrix = await this.#store.withRoom(() => this.#measures.prepare(method, prompt));
    for (let layer = 0; layer < this.info.architecture.layers; layer++) {
      const encoder = device.createCommandEncoder({ label: `${method} of layer ${layer}` });
      if (layer === 0) {
        // Deno clears what it believes unwritten before a later submission reads it, and it takes no notice of what was
        // written at an offset given with the dispatch.
        encoder.clearBuffer(matrix);
        this.#forward.bringValues(encoder, entry, ids);
      }
      const pass = encoder.beginComputePass({ label: method });
      this.#measures.encode(pass, method, { ...prompt, matrix, layer });
      pass.end();
      device.queue.submit([encoder.finish()]);
    }
    known?.matrix.destroy();
    entry.measured.set(method, { matrix, tokens });
    return matrix;
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
    const numbers = await this.#run(works, {
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

  /** Submits, reads back once; then the works are committed, or aborted if it fails or nobody waits any more. */
  async #run(works: readonly PromptWork[], wanted: Wanted): Promise<Float32Array<ArrayBuffer>> {
    try {
      const rows = works.reduce(
        (sum, { ids, first }) => sum + (first < ids.length ? ids.length : 0),
        0,
      );
      if (rows > 0) await this.#store.withRoom(() => this.#forward.reserve(rows));
      const staging = await this.#store.withRoom(() => this.#readback.acquire(wanted.result));
      const begin = performance.now();
      try {
        await this.#submit(works, wanted, staging);
      } catch (error) {
        this.#readback.release(staging);
        throw error;
      }
      const submitted = performance.now();
      const bytes = await this.#readback.take(staging);
      const read = performance.now();
      this.#pace.record(rowsOf(works), read - begin);
      const { timeOrigin } = performance;
      this.lastRun = { submitted: timeOrigin + submitted, read: timeOrigin + read };
      this.#gpu.check();
      for (const work of works) work.commit();
      return new Float32Array(bytes);
    } catch (error) {
      for (const work of works) work.abort();
      throw error;
    }
  }

  /**
   * One command buffer, one submission. A pass that will take long goes in pieces of some layers, between which the
   * thread waits for the device and looks whether anybody still wants it.
   */
  async #submit(works: readonly PromptWork[], wanted: Wanted, staging: Staging): Promise<void> {
    const { device } = this.#gpu;
    const segments = this.#segments(works);
    const asked = wanted.fields.map(({ work: { ids, entry: { stride } }, ...fields }) => {
      return { tokens: ids.length, stride, ...fields };
    });
    this.#prompts.write([...segments.map(promptFields), ...asked]);

    let encoder = device.createCommandEncoder({ label: "flow" });
    const pieces = this.#pace.pieces(rowsOf(works));
    if (pieces.length > 1) clear(encoder, works);
    for (const { base, entry, first } of works) {
      if (base && base !== entry) {
        copyRows(encoder, { source: base, target: entry, rows: first }, this.info.architecture);
      }
    }
    if (segments.length > 0) this.#forward.begin(encoder, segments);
    let pass = encoder.beginComputePass({ label: "flow" });
    for (const { first, end, isLast } of pieces) {
      if (segments.length > 0) this.#forward.encode(pass, segments, { first, end });
      if (isLast) break;
      pass.end();
      await this.#pause(encoder, segments[0]!.entry.mean);
      if (!wanted.isWanted()) throw cancelled();
      encoder = device.createCommandEncoder({ label: "flow" });
      pass = encoder.beginComputePass({ label: "flow" });
    }
    wanted.encode(pass, asked.map((_, i) => this.#prompts.at(segments.length + i)));
    pass.end();
    if (segments.length > 0) this.#forward.end(encoder, segments);
    this.#readback.copy(encoder, wanted.result, staging);
    device.queue.submit([encoder.finish()]);
  }

  /** Submits what is recorded and waits until it is done, by reading the first number of some buffer. */
  async #pause(encoder: GPUCommandEncoder, buffer: GPUBuffer): Promise<void> {
    const result = [{ buffer, bytes: Float32Array.BYTES_PER_ELEMENT }];
    const staging = await this.#readback.acquire(result);
    this.#readback.copy(encoder, result, staging);
    this.#gpu.device.queue.submit([encoder.finish()]);
    await this.#readback.take(staging);
  }

  /** Gives the prompts that are to be computed their rows, one after the other. */
  #segments(works: readonly PromptWork[]): Segment[] {
    let row = 0;
    return works.filter(({ first, ids }) => first < ids.length).map((work, index) => {
      const segment = { ...work, row, slot: row, prompt: this.#prompts.at(index) };
      row += work.ids.length - work.first;
      return segment;
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

/** A request, its place among the requests, and whether another one before it has the same prompt. */
interface Job extends FlowRequest {
  readonly index: number;
  readonly isRepeated: boolean;
}

/** All requests about one prompt. */
interface Prompt {
  readonly work: PromptWork;
  readonly jobs: readonly Job[];
}

function groupByPrompt(jobs: readonly Job[]): Job[][] {
  const groups = new Map<string, Job[]>();
  for (const job of jobs) {
    const key = job.ids.join();
    const group = groups.get(key);
    if (group) group.push({ ...job, isRepeated: true });
    else groups.set(key, [job]);
  }
  return [...groups.values()];
}

/** Whether a matrix is of attention, in the model as it is: such matrices are computed together. */
function isPlain({ options }: FlowRequest): boolean {
  return methodOf(options) === "ATTENTION" && ablatedIn(options).length === 0;
}

async function settled<T>(promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome!;
}

function isAnyWanted(jobs: readonly Job[]): boolean {
  return jobs.some(isWanted);
}

function isWanted(request: FlowRequest): boolean {
  return request.isWanted?.() ?? true;
}

/**
 * Makes new entries zero. The device would do so where it is first told that a kernel reads an entry whole, which is in
 * the last piece: it does not see what kernels wrote through dynamic offsets in the pieces before.
 */
function clear(encoder: GPUCommandEncoder, works: readonly PromptWork[]): void {
  for (const { base, entry } of works) {
    if (base === entry) continue; // patterns are in it
    for (const { buffer } of entry.slabs) encoder.clearBuffer(buffer);
  }
}

/** The rows that a pass computes. */
function rowsOf(works: readonly PromptWork[]): number {
  return works.reduce((sum, { ids, first }) => sum + ids.length - first, 0);
}

/** Why nothing was computed for somebody who is gone. */
export function cancelled(): InfoflowError {
  return new InfoflowError("CANCELLED", "Nobody waits for the answer any more");
}

/** What kernels of the forward pass are to know of a segment. */
function promptFields(segment: Segment): Partial<PromptFields> {
  const { ids, first, slot, row, entry: { stride } } = segment;
  return { tokens: ids.length, first, slot, row, stride };
}

function unwrap(outcome: PromiseSettledResult<FlowResult>): FlowResult {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
