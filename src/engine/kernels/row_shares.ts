import code from "../../../shaders/row_shares.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, readWrite } from "../gpu/kernel.ts";

/** Rows divided by their sums, see `shaders/row_shares.wgsl`. */
export class RowShares {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel. */
  static async create(device: GPUDevice): Promise<RowShares> {
    return new RowShares(
      await Kernel.create(device, {
        label: "row_shares",
        code,
        constants: {},
        groups: [["readWrite"], ["uniformAt"]],
      }),
    );
  }

  /** Binds packed triangles, (L, T, T). */
  bind(matrix: GPUBuffer): GPUBindGroup {
    return this.#kernel.bind(0, [readWrite(matrix)]);
  }

  /** Records the division of all rows. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [BoundGroup, BoundGroup],
    { tokens, layers }: { tokens: number; layers: number },
  ): void {
    this.#kernel.dispatch(pass, groups, [tokens, layers]);
  }
}
