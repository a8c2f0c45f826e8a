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
   * @param ids 1 to `context` token ids of the model's vocabulary.
   * @throws {InfoflowError} MATRIX_TOO_LARGE if the device can't hold the patterns or the result.
   * @throws {RangeError} If the ids are not a prompt of this model's.
   */
  async flow(ids: readonly number[], options: FlowOptions): Promise<FlowResult> {
    this.#checkIds(ids, options);
    const key = patternKey(this.info.fingerprint, ids);
    const cached = this.#cache.lease(key);
    const entry = cached?.value ?? await this.#makeEntry(ids.length);
    let lease = cached;
    try {
      const numbers = await this.#run(ids, { entry, options, isNew: !cached });
      lease ??= this.#cache.add(key, entry);
      return { ...this.#split(numbers, options, ids.length), cacheHit: cached !== undefined };
    } catch (error) {
      if (!cached) entry.destroy();
      throw error;
    } finally {
      lease?.release();
    }
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
      await this.#run(ids, { entry, options, isNew: options === WARM_UP[0] });
    }
    entry.destroy();
  }

  /** One command buffer, one submission, one readback. */
  async #run(
    ids: readonly number[],
    { entry, options, isNew }: { entry: PatternEntry; options: FlowOptions; isNew: boolean },
  ): Promise<Float32Array<ArrayBuffer>> {
    const flow = await this.#withRoom(() => this.#reduction.prepare(entry, options));
    const staging = await this.#withRoom(() => this.#readback.acquire(flow.bytes));

    try {
      this.#submit(ids, { entry, options, isNew, flow, staging });
    } catch (error) {
      this.#readback.release(staging);
      throw error;
    }
    const bytes = await this.#readback.take(staging, flow.bytes);
    this.#gpu.check();
    return new Float32Array(bytes);
  }

  #submit(
    ids: readonly number[],
    { entry, options, isNew, flow, staging }: {
      entry: PatternEntry;
      options: FlowOptions;
      isNew: boolean;
      flow: DeviceFlow;
      staging: Staging;
    },
  ): void {
    const { device } = this.#gpu;
    const first = options.bos === "DROP" ? 1 : 0;
    device.queue.writeBuffer(this.#prompt, 0, new Uint32Array([ids.length, entry.stride, first]));
    const encoder = device.createCommandEncoder({ label: "flow" });
    const pass = encoder.beginComputePass({ label: "flow" });
    if (isNew) {
      this.#forward.embed(device.queue, ids);
      this.#forward.encode(pass, entry);
    }
    flow.encode(pass);
    pass.end();
    encoder.copyBufferToBuffer(flow.buffer, 0, staging.buffer, 0, flow.bytes);
    device.queue.submit([encoder.finish()]);
  }

  #split(numbers: Float32Array<ArrayBuffer>, options: FlowOptions, tokens: number): FlowMatrix {
    const { axes, shape } = flowShape(options, { layers: this.info.architecture.layers, tokens });
    const count = shape.reduce((product, size) => product * size, 1);
    return { axes, shape, flow: numbers.subarray(0, count), dropped: numbers.subarray(count) };
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

  #checkIds(ids: readonly number[], { bos }: FlowOptions): void {
    const { context, vocabulary } = this.info.architecture;
    const fewest = bos === "DROP" ? 2 : 1;
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
