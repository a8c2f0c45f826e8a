import { InfoflowError } from "../errors.ts";
import { type FlowMatrix, type FlowOptions, flowShape } from "../flow/definitions.ts";
import { type DeviceFlow, FlowReduction } from "../flow/reduction.ts";
import { AllocationError } from "../gpu/allocate.ts";
import { type DeviceInfo, type Gpu, requestGpu } from "../gpu/device.ts";
import { Readback, type Staging } from "../gpu/readback.ts";
import type { Architecture } from "../model/architecture.ts";
import { openCheckpoint } from "../model/checkpoint.ts";
import { Forward } from "../model/forward.ts";
import { type LoadProgress, loadWeights } from "../model/weights.ts";
import { type CacheStats, PatternCache } from "../patterns/cache.ts";
import { allocateEntry, entryBytes, type PatternEntry } from "../patterns/entry.ts";
import { unpackTriangles } from "../patterns/layout.ts";
import { patternKey } from "../patterns/key.ts";

/** What an engine runs, and on what. */
export interface EngineInfo {
  readonly architecture: Architecture;
  /** A hash of the architecture and of every weight. */
  readonly fingerprint: string;
  readonly device: DeviceInfo;
}

/** How to make an engine. */
export interface EngineOptions {
  /** Where `config.json` and `model.safetensors` are. */
  readonly directory: string;
  /** Bytes that cached patterns may take. */
  readonly cacheBytes: number;
  readonly onProgress?: LoadProgress;
}

/** A flow, and whether it cost a forward pass. */
export interface FlowResult extends FlowMatrix {
  readonly cacheHit: boolean;
}

/** What is to be done for one answer. */
interface Work {
  readonly ids: readonly number[];
  readonly entry: PatternEntry;
  /** Whether the patterns are still to be computed. */
  readonly isNew: boolean;
  /** The first token that is kept. */
  readonly first: number;
  readonly result: DeviceFlow;
}

/** Between them these run every kernel. */
const WARM_UP: readonly FlowOptions[] = [
  { byLayer: true, aggregation: "MEAN", bos: "DROP" },
  { byLayer: false, aggregation: "MEAN", bos: "DROP" },
  { byLayer: false, aggregation: "NOTEBOOK", bos: "DROP" },
  { byLayer: false, aggregation: "ROLLOUT", bos: "DROP" },
];

/**
 * A model on the device: token ids in, information flow out. It does one thing at a time; whoever has several
 * requests queues them.
 */
export class Engine {
  readonly info: EngineInfo;
  readonly #gpu: Gpu;
  readonly #prompt: GPUBuffer;
  readonly #forward: Forward;
  readonly #reduction: FlowReduction;
  readonly #readback: Readback;
  readonly #cache: PatternCache<PatternEntry>;

  private constructor(
    gpu: Gpu,
    parts: {
      info: EngineInfo;
      prompt: GPUBuffer;
      forward: Forward;
      reduction: FlowReduction;
      cacheBytes: number;
    },
  ) {
    this.info = parts.info;
    this.#gpu = gpu;
    this.#prompt = parts.prompt;
    this.#forward = parts.forward;
    this.#reduction = parts.reduction;
    this.#readback = new Readback(gpu.device);
    this.#cache = new PatternCache(parts.cacheBytes);
  }

  /**
   * Opens the device, loads a checkpoint onto it and compiles the kernels.
   *
   * @throws {Error} If there is no adapter, the checkpoint can't be run, or the device has no room for it.
   */
  static async create(options: EngineOptions): Promise<Engine> {
    const { directory, cacheBytes, onProgress } = options;
    await using checkpoint = await openCheckpoint(directory);
    const { architecture } = checkpoint;
    const gpu = await requestGpu();
    const { device } = gpu;
    try {
      const weights = await loadWeights(device, checkpoint, onProgress);
      const prompt = device.createBuffer({
        label: "prompt",
        size: 16,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      const forward = await Forward.create(device, { architecture, weights, prompt });
      const reduction = await FlowReduction.create(device, { layers: architecture.layers, prompt });
      gpu.check();
      const info = { architecture, fingerprint: weights.fingerprint, device: gpu.info };
      const engine = new Engine(gpu, { info, prompt, forward, reduction, cacheBytes });
      await engine.#warmUp();
      return engine;
    } catch (error) {
      device.destroy();
      throw error;
    }
  }

  /** Resolves with the reason when the device is gone. */
  get lost(): Promise<string> {
    return this.#gpu.device.lost.then(({ message }) => message);
  }

  /** The counters of the pattern cache. */
  get cacheStats(): CacheStats {
    return this.#cache.stats;
  }

  /**
   * Computes a flow, from cached patterns where the prompt was asked before.
   *
   * @param ids 1 to `context` token ids of the model's vocabulary, 2 at least where BOS is dropped.
   * @throws {InfoflowError} MATRIX_TOO_LARGE if the device can't hold the patterns or the result.
   * @throws {RangeError} If the ids are not a prompt of this model's.
   */
  async flow(ids: readonly number[], options: FlowOptions): Promise<FlowResult> {
    const first = options.bos === "DROP" ? 1 : 0;
    this.#checkIds(ids, first + 1);
    return await this.#withPatterns(ids, async (entry, isNew) => {
      const result = await this.#withRoom(() => this.#reduction.prepare(entry, options));
      const numbers = await this.#run({ ids, entry, isNew, first, result });
      const { axes, shape } = flowShape(options, {
        layers: this.info.architecture.layers,
        tokens: ids.length,
      });
      const count = shape.reduce((product, size) => product * size, 1);
      const flow = numbers.subarray(0, count);
      return { axes, shape, flow, dropped: numbers.subarray(count), cacheHit: !isNew };
    });
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
    return await this.#withPatterns(ids, async (entry, isNew) => {
      const parts = entry.slabs.map(({ buffer }) => ({ buffer, bytes: buffer.size }));
      const result = { parts, encode: () => {} };
      const packed = await this.#run({ ids, entry, isNew, first: 0, result });
      return unpackTriangles(packed, { count: layers * heads, tokens: ids.length });
    });
  }

  /** Gives the device back. */
  destroy(): void {
    this.#gpu.device.destroy();
  }

  /** Drivers compile a kernel when it first runs; after this, all have run. */
  async #warmUp(): Promise<void> {
    const ids = [0, 0];
    const entry = await this.#makeEntry(ids.length);
    for (const options of WARM_UP) {
      const result = await this.#reduction.prepare(entry, options);
      await this.#run({ ids, entry, isNew: options === WARM_UP[0], first: 1, result });
    }
    entry.destroy();
  }

  /** Finds or makes room for a prompt's patterns, and keeps them if `use` succeeds. */
  async #withPatterns<T>(
    ids: readonly number[],
    use: (entry: PatternEntry, isNew: boolean) => Promise<T>,
  ): Promise<T> {
    const key = patternKey(this.info.fingerprint, ids);
    let lease = this.#cache.lease(key);
    if (lease) {
      try {
        return await use(lease.value, false);
      } finally {
        lease.release();
      }
    }
    const entry = await this.#makeEntry(ids.length);
    try {
      const result = await use(entry, true);
      lease = this.#cache.add(key, entry);
      return result;
    } catch (error) {
      entry.destroy();
      throw error;
    } finally {
      lease?.release();
    }
  }

  /** One command buffer, one submission, one readback. */
  async #run(work: Work): Promise<Float32Array<ArrayBuffer>> {
    const staging = await this.#withRoom(() => this.#readback.acquire(work.result));
    try {
      this.#submit(work, staging);
    } catch (error) {
      this.#readback.release(staging);
      throw error;
    }
    const bytes = await this.#readback.take(staging);
    this.#gpu.check();
    return new Float32Array(bytes);
  }

  #submit({ ids, entry, isNew, first, result }: Work, staging: Staging): void {
    const { device } = this.#gpu;
    device.queue.writeBuffer(this.#prompt, 0, new Uint32Array([ids.length, entry.stride, first]));
    const encoder = device.createCommandEncoder({ label: "flow" });
    const pass = encoder.beginComputePass({ label: "flow" });
    if (isNew) {
      this.#forward.embed(device.queue, ids);
      this.#forward.encode(pass, entry);
    }
    result.encode(pass);
    pass.end();
    this.#readback.copy(encoder, result, staging);
    device.queue.submit([encoder.finish()]);
  }

  async #makeEntry(tokens: number): Promise<PatternEntry> {
    const { architecture } = this.info;
    this.#cache.makeRoom(entryBytes(architecture, tokens));
    return await this.#withRoom(() => allocateEntry(this.#gpu.device, architecture, tokens));
  }

  /** Allocates, giving up cached prompts one by one where the device has no room. */
  async #withRoom<T>(allocate: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await allocate();
      } catch (error) {
        if (!(error instanceof AllocationError)) throw error;
        if (this.#cache.evict()) continue;
        throw new InfoflowError(
          "MATRIX_TOO_LARGE",
          `${error.message}; ask with a shorter prompt, or for all layers in one matrix`,
        );
      }
    }
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
