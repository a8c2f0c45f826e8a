import code from "../../../shaders/head_cells.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, read, readWrite } from "../gpu/kernel.ts";

/** What the writing out of some heads reads and writes. */
export interface HeadCellsOperands {
  /** (L, H, T, T), packed, of some layers. */
  readonly patterns: GPUBuffer;
  /** Where the triangles of the chosen heads begin. */
  readonly places: GPUBuffer;
  /** The results. */
  readonly flows: GPUBuffer;
}

/** Patterns of chosen heads as squares of cells, see `shaders/head_cells.wgsl`. */
export class HeadCells {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel. */
  static async create(device: GPUDevice): Promise<HeadCells> {
    return new HeadCells(
      await Kernel.create(device, {
        label: "head_cells",
        code,
        constants: {},
        groups: [["read", "read", "readWrite"], ["uniformAt"]],
      }),
    );
  }

  /** Binds some layers' patterns and a place for the result. */
  bind({ patterns, places, flows }: HeadCellsOperands): GPUBindGroup {
    return this.#kernel.bind(0, [read(patterns), read(places), readWrite(flows)]);
  }

  /** Records the squares of `heads` heads, of `cells` rows each. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [BoundGroup, BoundGroup],
    { cells, heads }: { cells: number; heads: number },
  ): void {
    this.#kernel.dispatch(pass, groups, [cells, heads]);
  }
}
