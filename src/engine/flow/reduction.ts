import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import type { PromptFields } from "../kernels/prompt.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Heads } from "../../requests/flow_options.ts";
import { type FlowMatrix, type FlowOptions, isByHead } from "../../requests/flow_options.ts";
import { HeadFlows } from "./head_flows.ts";
import type { Reduction, ReductionStep, ResultRange } from "./reduction_step.ts";
import { LayerFlows } from "./layer_flows.ts";
import { IndexList } from "./triangle_offsets.ts";
import { flowShape } from "../../requests/matrix_shape.ts";

/** Matrices whose memory is allocated on the device. */
export interface PreparedFlows {
  readonly reductions: readonly Reduction[];
  /** The results: each reduction's flow, then `dropped`. */
  readonly buffer: GPUBuffer;
  readonly bytes: number;
  /** The fields that each step's kernels need beside the prompt's. */
  readonly fields: readonly (Partial<PromptFields> & { readonly reduction: number })[];
  readonly steps: readonly ReductionStep[];
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
   * @param most How many reductions there may be at once.
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
   * Allocates matrices. They must be recorded and read before the next are prepared.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async prepare(reductions: readonly Reduction[]): Promise<PreparedFlows> {
    let numbers = 0;
    const begins = reductions.map((reduction) => {
      const begin = numbers;
      numbers += this.#count(reduction).all;
      return begin;
    });
    const bytes = numbers * Float32Array.BYTES_PER_ELEMENT;
    const buffer = await this.#results.atLeast(bytes);
    await this.#layerFlows.reserve(reductions.filter(isOfLayers));
    this.#indices.clear();
    const steps = reductions.map((reduction, index) =>
      this.#steps(reduction, { results: buffer, result: begins[index]! })
    );
    this.#indices.flush();
    const fields = steps.flatMap((some, reduction) =>
      some.map(({ fields }) => ({ ...fields, reduction }))
    );
    return { reductions, buffer, bytes, fields, steps: steps.flat() };
  }

  /**
   * Records the reductions.
   *
   * @param prompts The group with each step's prompt and fields.
   */
  encode(
    pass: GPUComputePassEncoder,
    { steps }: PreparedFlows,
    prompts: readonly BoundGroup[],
  ): void {
    steps.forEach((step, index) => step.encode(pass, prompts[index]!));
  }

  /** Splits the results that were read, in the order of the reductions. No two share memory. */
  split({ reductions }: PreparedFlows, numbers: Float32Array<ArrayBuffer>): FlowMatrix[] {
    this.#results.shrink(KEPT);
    let begin = 0;
    return reductions.map((reduction) => {
      const { flow, all } = this.#count(reduction);
      const own = reductions.length === 1 ? numbers : numbers.slice(begin, begin + all);
      begin += all;
      return {
        ...this.#shape(reduction),
        flow: own.subarray(0, flow),
        dropped: own.subarray(flow),
      };
    });
  }

  #steps(reduction: Reduction, into: ResultRange): ReductionStep[] {
    const { options } = reduction;
    return isByHead(options)
      ? this.#headFlows.steps({ ...reduction, options }, into)
      : this.#layerFlows.steps({ ...reduction, options }, into);
  }

  #shape({ tokens, options }: Reduction): Pick<FlowMatrix, "axes" | "shape"> {
    return flowShape(options, { ...this.#model, tokens });
  }

  /** The sizes of a result: of the flow, and of the flow with `dropped`, a number for each row. */
  #count(reduction: Reduction): { flow: number; all: number } {
    const { shape } = this.#shape(reduction);
    const flow = shape.reduce((product, size) => product * size, 1);
    return { flow, all: flow + flow / shape.at(-1)! };
  }
}

function isOfLayers(reduction: Reduction): reduction is Reduction<FlowOptions> {
  return !isByHead(reduction.options);
}
