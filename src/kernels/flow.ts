import code from "../../shaders/flow.wgsl" with { type: "text" };
import { Kernel, read, readWrite, uniform } from "../gpu/kernel.ts";

/** What becomes of the layers: each stays by itself, or one matrix is made of them. */
export type Aggregate = "layers" | "mean" | "notebook" | "last";
const AGGREGATES: Record<Aggregate, number> = { layers: 0, mean: 1, notebook: 2, last: 3 };

/** What one reduction reads and writes. */
export interface FlowOperands {
  readonly prompt: GPUBuffer;
  /** (L, T, T), packed: what the rows are taken from. */
  readonly matrix: GPUBuffer;
  /** (L, T, T), packed: the mean over heads. */
  readonly mean: GPUBuffer;
  /** The flows, then `dropped`. */
  readonly flows: GPUBuffer;
}

/** Rows of flow from packed triangles, see `shaders/flow.wgsl`. */
export class Flow {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles one of the reductions. */
  static async create(
    device: GPUDevice,
    { layers, aggregate }: { layers: number; aggregate: Aggregate },
  ): Promise<Flow> {
    return new Flow(
      await Kernel.create(device, {
        label: `flow ${aggregate}`,
        code,
        constants: { LAYERS: layers, AGGREGATE: AGGREGATES[aggregate] },
        groups: [["uniform", "read", "read", "readWrite"]],
      }),
    );
  }

  /** Binds an entry's triangles and a buffer for the result. */
  bind({ prompt, matrix, mean, flows }: FlowOperands): GPUBindGroup {
    return this.#kernel.bind(0, [uniform(prompt), read(matrix), read(mean), readWrite(flows)]);
  }

  /** Records the reduction to `matrices` matrices of `targets` rows. */
  dispatch(
    pass: GPUComputePassEncoder,
    operands: GPUBindGroup,
    { targets, matrices }: { targets: number; matrices: number },
  ): void {
    this.#kernel.dispatch(pass, { groups: [operands], workgroups: [targets, matrices] });
  }
}
