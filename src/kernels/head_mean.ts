import code from "../../shaders/head_mean.wgsl" with { type: "text" };
import { Kernel, read, readWrite, uniform } from "../gpu/kernel.ts";

const WORKGROUP = 64;

/** What one mean over heads reads and writes. */
export interface HeadMeanOperands {
  readonly prompt: GPUBuffer;
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
        groups: [["uniform", "read", "readWrite"]],
      }),
    );
  }

  /** Binds some layers' patterns and where their means go. */
  bind({ prompt, patterns, mean, offset }: HeadMeanOperands): GPUBindGroup {
    return this.#kernel.bind(0, [uniform(prompt), read(patterns), readWrite(mean, { offset })]);
  }

  /** Records the means of `layers` layers, whose triangles have `length` vec4s. */
  dispatch(
    pass: GPUComputePassEncoder,
    operands: GPUBindGroup,
    { length, layers }: { length: number; layers: number },
  ): void {
    this.#kernel.dispatch(pass, {
      groups: [operands],
      workgroups: [Math.ceil(length / WORKGROUP), layers],
    });
  }
}
