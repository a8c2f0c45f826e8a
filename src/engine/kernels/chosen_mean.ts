import code from "../../../shaders/chosen_mean.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, read, readWrite } from "../gpu/kernel.ts";

const WORKGROUP = 64;

/** What one mean over chosen heads reads and writes. */
export interface ChosenMeanOperands {
  /** (L, H, T, T), packed, of some layers. */
  readonly patterns: GPUBuffer;
  /** Where the triangles of the chosen heads begin. */
  readonly places: GPUBuffer;
  /** (C, T, T), packed: a mean for each chosen layer. */
  readonly mean: GPUBuffer;
}

/** The mean of some layers' patterns over some heads, see `shaders/chosen_mean.wgsl`. */
export class ChosenMean {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel. */
  static async create(device: GPUDevice): Promise<ChosenMean> {
    return new ChosenMean(
      await Kernel.create(device, {
        label: "chosen_mean",
        code,
        constants: {},
        groups: [["read", "read", "readWrite"], ["uniformAt"]],
      }),
    );
  }

  /** Binds some layers' patterns and where their means go. */
  bind({ patterns, places, mean }: ChosenMeanOperands): GPUBindGroup {
    return this.#kernel.bind(0, [read(patterns), read(places), readWrite(mean)]);
  }

  /** Records the means of `layers` layers, triangles being `stride` vec4s apart. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [BoundGroup, BoundGroup],
    { stride, layers }: { stride: number; layers: number },
  ): void {
    this.#kernel.dispatch(pass, groups, [Math.ceil(stride / WORKGROUP), layers]);
  }
}
