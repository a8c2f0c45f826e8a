import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import { type Aggregate, AGGREGATES, Flow } from "../kernels/flow.ts";
import { Rollout } from "../kernels/rollout.ts";
import type { PatternEntry } from "../patterns/entry.ts";
import { type FlowMatrix, type FlowOptions, flowShape } from "./definitions.ts";

/** A flow to be reduced from an entry's first `tokens` tokens. */
export interface FlowJob {
  readonly entry: PatternEntry;
  readonly tokens: number;
  readonly options: FlowOptions;
}

/** What kernels are to know of a job, beside the prompt. */
export interface FlowFields {
  readonly kept: number;
  readonly aggregate: number;
  readonly result: number;
}

/** Flows with room made for them on the device. */
export interface PreparedFlows {
  readonly jobs: readonly FlowJob[];
  /** Where the results are: of each job its flow, then `dropped`. */
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** Of each job. */
  readonly fields: readonly FlowFields[];
}

/** What the kernels are bound to for one entry. */
interface EntryGroups {
  readonly results: GPUBuffer;
  readonly products: GPUBuffer | undefined;
  readonly fromMean: GPUBindGroup;
  readonly fromRollout: GPUBindGroup | undefined;
  readonly rollout: GPUBindGroup | undefined;
}

/** Reduces cached patterns to flows. */
export class FlowReduction {
  readonly #layers: number;
  readonly #flow: Flow;
  readonly #rollout: Rollout;
  readonly #products: GrowingBuffer;
  readonly #results: GrowingBuffer;
  readonly #entryGroups = new WeakMap<PatternEntry, EntryGroups>();

  private constructor(device: GPUDevice, layers: number, flow: Flow, rollout: Rollout) {
    this.#layers = layers;
    this.#flow = flow;
    this.#rollout = rollout;
    this.#products = new GrowingBuffer(device, "rollout");
    this.#results = new GrowingBuffer(device, "flows");
  }

  /** Compiles the kernels for a model of so many layers. */
  static async create(device: GPUDevice, layers: number): Promise<FlowReduction> {
    const flow = await Flow.create(device, layers);
    return new FlowReduction(device, layers, flow, await Rollout.create(device, layers));
  }

  /**
   * Makes room for flows. They are to be recorded and read before the next are prepared.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async prepare(jobs: readonly FlowJob[]): Promise<PreparedFlows> {
    let numbers = 0;
    const fields = jobs.map(({ tokens, options }) => {
      const result = numbers;
      numbers += this.#count(options, tokens);
      const aggregate = AGGREGATES[aggregateOf(options)];
      return { kept: keptFrom(options), aggregate, result };
    });
    const bytes = numbers * Float32Array.BYTES_PER_ELEMENT;
    const buffer = await this.#results.atLeast(bytes);
    const rollouts = jobs.filter(({ options }) => options.aggregation === "ROLLOUT");
    const largest = Math.max(0, ...rollouts.map(({ entry }) => entry.mean.size));
    if (largest > 0) await this.#products.atLeast(largest);
    return { jobs, buffer, bytes, fields };
  }

  /**
   * Records the reductions.
   *
   * @param prompts What tells kernels of each job's prompt.
   */
  encode(
    pass: GPUComputePassEncoder,
    { jobs }: PreparedFlows,
    prompts: readonly BoundGroup[],
  ): void {
    jobs.forEach(({ entry, tokens, options }, index) => {
      const prompt = prompts[index]!;
      const isRollout = options.aggregation === "ROLLOUT";
      const groups = this.#groupsOf(entry, isRollout);
      if (isRollout) this.#rollout.dispatch(pass, [[groups.rollout!], prompt], tokens);
      const { shape } = flowShape(options, { layers: this.#layers, tokens });
      this.#flow.dispatch(
        pass,
        [[isRollout ? groups.fromRollout! : groups.fromMean], prompt],
        { targets: shape.at(-2)!, matrices: shape.length === 3 ? shape[0]! : 1 },
      );
    });
  }

  /** Takes the results apart, in the order of the jobs; no two share memory. */
  split({ jobs, fields }: PreparedFlows, numbers: Float32Array<ArrayBuffer>): FlowMatrix[] {
    return jobs.map(({ tokens, options }, index) => {
      const { axes, shape } = flowShape(options, { layers: this.#layers, tokens });
      const count = shape.reduce((product, size) => product * size, 1);
      const begin = fields[index]!.result;
      const end = begin + this.#count(options, tokens);
      const own = jobs.length === 1 ? numbers : numbers.slice(begin, end);
      return { axes, shape, flow: own.subarray(0, count), dropped: own.subarray(count) };
    });
  }

  /** The numbers of a result: of the flow, and of `dropped`, one for each row. */
  #count(options: FlowOptions, tokens: number): number {
    const { shape } = flowShape(options, { layers: this.#layers, tokens });
    const count = shape.reduce((product, size) => product * size, 1);
    return count + count / shape.at(-1)!;
  }

  #groupsOf(entry: PatternEntry, isRollout: boolean): EntryGroups {
    const results = this.#results.buffer!;
    const products = isRollout ? this.#products.buffer! : undefined;
    const known = this.#entryGroups.get(entry);
    const isFresh = known?.results === results && (!products || known.products === products);
    if (isFresh) return known;
    const { mean } = entry;
    const groups = {
      results,
      products,
      fromMean: this.#flow.bind({ matrix: mean, mean, flows: results }),
      fromRollout: products && this.#flow.bind({ matrix: products, mean, flows: results }),
      rollout: products && this.#rollout.bind({ mean, rollout: products }),
    };
    this.#entryGroups.set(entry, groups);
    return groups;
  }
}

/** The first position that a flow keeps. */
export function keptFrom({ bos }: FlowOptions): number {
  return bos === "DROP" ? 1 : 0;
}

function aggregateOf({ byLayer, aggregation }: FlowOptions): Aggregate {
  if (byLayer) return "layers";
  const aggregates = { MEAN: "mean", NOTEBOOK: "notebook", ROLLOUT: "last" } as const;
  return aggregates[aggregation];
}
