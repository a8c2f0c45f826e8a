import code from "../../../shaders/cell_sums.wgsl" with { type: "text" };
import { IndexUniform } from "./index_uniform.ts";
import { type BoundGroup, Kernel, read, readAt, readWrite, uniform } from "../gpu/kernel.ts";

/** How many lists of cells there are. */
export const LISTS = 3;

/** What sums are made from, beside patterns. */
export interface CellSumsOperands {
  /** Where each list ends, in cells. */
  readonly ends: GPUBuffer;
  /** Targets and sources, list by list. */
  readonly cells: GPUBuffer;
  /** (L, H, 3) */
  readonly sums: GPUBuffer;
}

/** Sums over cells of every head's pattern, see `shaders/cell_sums.wgsl`. */
export class CellSums {
  readonly #kernel: Kernel;
  readonly #indices: IndexUniform;
  readonly #heads: number;

  private constructor(kernel: Kernel, indices: IndexUniform, heads: number) {
    this.#kernel = kernel;
    this.#indices = indices;
    this.#heads = heads;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { layers, heads }: { readonly layers: number; readonly heads: number },
  ): Promise<CellSums> {
    const kernel = await Kernel.create(device, {
      label: "cell_sums",
      code,
      constants: {},
      groups: [["uniform", "read", "readWrite"], ["uniformAt"], ["readAt"], ["uniformAt"]],
    });
    const indices = new IndexUniform(device, kernel, { group: 3, count: layers });
    return new CellSums(kernel, indices, heads);
  }

  /** Binds the lists and a place for the sums. */
  bind({ ends, cells, sums }: CellSumsOperands): GPUBindGroup {
    return this.#kernel.bind(0, [uniform(ends), read(cells), readWrite(sums)]);
  }

  /** Binds a buffer of patterns, of which a dispatch reads `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readAt(patterns, { size })]);
  }

  /** Records the sums of one layer. */
  dispatch(
    pass: GPUComputePassEncoder,
    [operands, prompt, patterns]: readonly [BoundGroup, BoundGroup, BoundGroup],
    layer: number,
  ): void {
    const groups = [operands, prompt, patterns, this.#indices.at(layer)];
    this.#kernel.dispatch(pass, groups, [this.#heads]);
  }
}
