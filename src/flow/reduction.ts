import type { DeviceResult } from "../gpu/readback.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { type Aggregate, Flow } from "../kernels/flow.ts";
import { Rollout } from "../kernels/rollout.ts";
import type { PatternEntry } from "../patterns/entry.ts";
import { type FlowOptions, flowShape } from "./definitions.ts";

/** A flow on the device, as the reduction leaves it: the flow's numbers, then those of `dropped`. */
export interface DeviceFlow extends DeviceResult {
  /** Records the reduction. */
  encode(pass: GPUComputePassEncoder): void;
}

/** Reduces cached patterns to flows. */
export class FlowReduction {
  readonly #layers: number;
  readonly #prompt: GPUBuffer;
  readonly #flows: Record<Aggregate, Flow>;
  readonly #rollout: Rollout;
  readonly #products: GrowingBuffer;
  readonly #results: GrowingBuffer;

  private constructor(
    device: GPUDevice,
    { layers, prompt }: { layers: number; prompt: GPUBuffer },
    flows: Record<Aggregate, Flow>,
    rollout: Rollout,
  ) {
    this.#layers = layers;
    this.#prompt = prompt;
    this.#flows = flows;
    this.#rollout = rollout;
    this.#products = new GrowingBuffer(device, "rollout");
    this.#results = new GrowingBuffer(device, "flows");
  }

  /**
   * Compiles the kernels.
   *
   * @param options L, and the uniform that tells kernels of the prompt at hand.
   */
  static async create(
    device: GPUDevice,
    options: { layers: number; prompt: GPUBuffer },
  ): Promise<FlowReduction> {
    const flow = (aggregate: Aggregate): Promise<Flow> =>
      Flow.create(device, { layers: options.layers, aggregate });
    const flows = {
      layers: await flow("layers"),
      mean: await flow("mean"),
      notebook: await flow("notebook"),
      last: await flow("last"),
    };
    const rollout = await Rollout.create(device, options.layers);
    return new FlowReduction(device, options, flows, rollout);
  }

  /** How many bytes of result a flow takes. */
  resultBytes(options: FlowOptions, tokens: number): number {
    const { shape } = flowShape(options, { layers: this.#layers, tokens });
    const numbers = shape.reduce((product, size) => product * size, 1);
    return (numbers + numbers / shape.at(-1)!) * Float32Array.BYTES_PER_ELEMENT;
  }

  /**
   * Makes room for one flow and binds its kernels. It is to be recorded and read before the next is prepared.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async prepare(entry: PatternEntry, options: FlowOptions): Promise<DeviceFlow> {
    const { mean, tokens } = entry;
    const prompt = this.#prompt;
    const bytes = this.resultBytes(options, tokens);
    const buffer = await this.#results.atLeast(bytes);
    const isRollout = options.aggregation === "ROLLOUT";
    const rollout = isRollout ? await this.#products.atLeast(mean.size) : undefined;
    const matrix = rollout ?? mean;

    const kernel = this.#flows[aggregateOf(options)];
    const operands = kernel.bind({ prompt, matrix, mean, flows: buffer });
    const products = rollout && this.#rollout.bind({ prompt, mean, rollout });
    const { shape } = flowShape(options, { layers: this.#layers, tokens });
    const matrices = shape.length === 3 ? shape[0]! : 1;
    return {
      parts: [{ buffer, bytes }],
      encode: (pass) => {
        if (products) this.#rollout.dispatch(pass, products, tokens);
        kernel.dispatch(pass, operands, { targets: shape.at(-2)!, matrices });
      },
    };
  }
}

function aggregateOf({ byLayer, aggregation }: FlowOptions): Aggregate {
  if (byLayer) return "layers";
  const aggregates = { MEAN: "mean", NOTEBOOK: "notebook", ROLLOUT: "last" } as const;
  return aggregates[aggregation];
}
