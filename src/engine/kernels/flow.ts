import code from "../../../shaders/flow.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, read, readWrite } from "../gpu/kernel.ts";

/** What becomes of the layers: each stays by itself, or one matrix is made of them. */
export type Aggregate = "layers" | "mean" | "notebook" | "last";

/** The numbers that the shader knows them by. */
export const AGGREGATES: Record<Aggregate, number> = { layers: 0, mean: 1, notebook: 2, last: 3 };

/** What one reduction reads and writes. */
export interface FlowOperands {
  /** (L, T, T), packed: what the rows are taken from. */
  readonly matrix: GPUBuffer;
  /** (L, T, T), packed: the mean over heads. */
  readonly mean: GPUBuffer;
  /** The results: of each prompt its flow, then `dropped`. */
  readonly flows: GPUBuffer;
}

/** Rows of flow from packed triangles, see `shaders/flow.wgsl`. */
export class Flow {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the reduction for any number of layers. */
  static async create(device: GPUDevice): Promise<Flow> {
    return new Flow(
      await Kernel.create(device, {
        label: "flow",
        code,
        constants: {},
        groups: [["read", "read", "readWrite"], ["uniformAt"]],
      }),
    );
  }

  /** Binds an entry's triangles and a place for the result. */
  bind({ matrix, mean, flows }: FlowOperands): GPUBindGroup {
    return this.#kernel.bind(0, [read(matrix), read(mean), readWrite(flows)]);
  }

  /** Records the reduction to `matrices` matrices of `targets` rows. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [BoundGroup, BoundGroup],
    { targets, matrices }: { targets: number; matrices: number },
  ): void {
    this.#kernel.dispatch(pass, groups, [targets, matrices]);
  }
}
