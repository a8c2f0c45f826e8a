import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import type { PromptFields } from "../kernels/prompt.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Heads } from "../../requests/flow_options.ts";
import { type FlowMatrix, type FlowOptions, isByHead } from "../../requests/flow_options.ts";
import { HeadFlows } from "./head_flows.ts";
import type { FlowJob, FlowStep, ResultRange } from "./job.ts";
import { LayerFlows } from "./layer_flows.ts";
import { IndexList } from "./triangle_offsets.ts";
import { flowShape } from "../../requests/matrix_shape.ts";

/** Matrices with room made for them on the device. */
export interface PreparedFlows {
  readonly jobs: readonly FlowJob[];
  /** Where the results are: of each job its flow, then `dropped`. */
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** The fields that each step's kernels need beside the prompt's. */
  readonly fields: readonly (Partial<PromptFields> & { readonly job: number })[];
  readonly steps: readonly FlowStep[];
}

/** The result buffer is kept up to this number of bytes; a larger one is freed after its result was read. */
const KEPT = 64 * 2 ** 20;

/** Reduces cached patterns to matrices. */
export class FlowReduction {
  readonly #model: Heads;
  readonly #layerFlows: LayerFlows;
  readonly #headFlows: HeadFlows;
  readonly #indices: IndexList;
  readonly #results: GrowingBuffer;

  private constructor(
    device: GPUDevice,
    parts: { model: Heads; layerFlows: LayerFlows; headFlows: HeadFlows; indices: IndexList },
  ) {
    this.#model = parts.model;
    this.#layerFlows = parts.layerFlows;
    this.#headFlows = parts.headFlows;
    this.#indices = parts.indices;
    this.#results = new GrowingBuffer(device, "flows");
  }

  /**
   * Compiles the kernels for a model.
   *
   * @param most How many jobs there may be at once.
   */
  static async create(
    device: GPUDevice,
    { layers, heads, context }: Heads & Pick<Architecture, "context">,
    most: number,
  ): Promise<FlowReduction> {
    const model = { layers, heads };
    const indices = new IndexList(device, most * (layers * heads + context));
    const layerFlows = await LayerFlows.create(device, model, indices);
    const headFlows = await HeadFlows.create(device, model, indices);
    return new FlowReduction(device, { model, layerFlows, headFlows, indices });
  }

  /**
   * Makes room for matrices. They are to be recorded and read before the next are prepared.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async prepare(jobs: readonly FlowJob[]): Promise<PreparedFlows> {
    let numbers = 0;
    const begins = jobs.map((job) => {
      const begin = numbers;
      numbers += this.#count(job).all;
      return begin;
    });
    const bytes = numbers * Float32Array.BYTES_PER_ELEMENT;
    const buffer = await this.#results.atLeast(bytes);
    await this.#layerFlows.reserve(jobs.filter(isOfLayers));
    this.#indices.clear();
    const steps = jobs.map((job, index) =>
      this.#steps(job, { results: buffer, result: begins[index]! })
    );
    this.#indices.flush();
    const fields = steps.flatMap((some, job) => some.map(({ fields }) => ({ ...fields, job })));
    return { jobs, buffer, bytes, fields, steps: steps.flat() };
  }

  /**
   * Records the reductions.
   *
   * @param prompts What tells kernels of each step's prompt and fields.
   */
  encode(
    pass: GPUComputePassEncoder,
    { steps }: PreparedFlows,
    prompts: readonly BoundGroup[],
  ): void {
    steps.forEach((step, index) => step.encode(pass, prompts[index]!));
  }

  /** Takes the results apart once they are read, in the order of the jobs; no two share memory. */
  split({ jobs }: PreparedFlows, numbers: Float32Array<ArrayBuffer>): FlowMatrix[] {
    this.#results.shrink(KEPT);
    let begin = 0;
    return jobs.map((job) => {
      const { flow, all } = this.#count(job);
      const own = jobs.length === 1 ? numbers : numbers.slice(begin, begin + all);
      begin += all;
      return { ...this.#shape(job), flow: own.subarray(0, flow), dropped: own.subarray(flow) };
    });
  }

  #steps(job: FlowJob, into: ResultRange): FlowStep[] {
    const { options } = job;
    return isByHead(options)
      ? this.#headFlows.steps({ ...job, options }, into)
      : this.#layerFlows.steps({ ...job, options }, into);
  }

  #shape({ tokens, options }: FlowJob): Pick<FlowMatrix, "axes" | "shape"> {
    return flowShape(options, { ...this.#model, tokens });
  }

  /** The numbers of a result: of the flow, and with `dropped`, one for each row. */
  #count(job: FlowJob): { flow: number; all: number } {
    const { shape } = this.#shape(job);
    const flow = shape.reduce((product, size) => product * size, 1);
    return { flow, all: flow + flow / shape.at(-1)! };
  }
}

function isOfLayers(job: FlowJob): job is FlowJob<FlowOptions> {
  return !isByHead(job.options);
}
