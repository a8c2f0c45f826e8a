import code from "../../../shaders/head_mean.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, read, readWrite } from "../gpu/kernel.ts";

const WORKGROUP = 64;

/** What one mean over heads reads and writes. */
export interface HeadMeanOperands {
  /** (L, H, T, T), packed, of some layers. */
  readonly patterns: GPUBuffer;
  /** (L, T, T), packed. */
  readonly mean: GPUBuffer;
  /** Where the mean of the first of those layers goes, in bytes. */
  readonly offset: number;
}

/** The mean of a layer's patterns over its heads, see `shaders/head_mean.wgsl`. */
export class HeadMean {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel for a model. */
  static async create(device: GPUDevice, heads: number): Promise<HeadMean> {
    return new HeadMean(
      await Kernel.create(device, {
        label: "head_mean",
        code,
        constants: { HEADS: heads },
        groups: [["read", "readWrite"], ["uniformAt"]],
      }),
    );
  }

  /** Binds some layers' patterns and where their means go. */
  bind({ patterns, mean, offset }: HeadMeanOperands): GPUBindGroup {
    return this.#kernel.bind(0, [read(patterns), readWrite(mean, { offset })]);
  }

  /** Records the means of `layers` layers, `length` vec4s of each. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [BoundGroup, BoundGroup],
    { length, layers }: { length: number; layers: number },
  ): void {
    this.#kernel.dispatch(pass, groups, [Math.ceil(length / WORKGROUP), layers]);
  }
}
