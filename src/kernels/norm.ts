import code from "../../shaders/norm.wgsl" with { type: "text" };
import { Kernel, read, readWrite } from "../gpu/kernel.ts";
import { rowStride } from "./linear.ts";

/** What one layer norm reads and writes. */
export interface NormOperands {
  /** (T, C) */
  readonly x: GPUBuffer;
  /** (C) */
  readonly gain: GPUBuffer;
  /** (C) */
  readonly bias: GPUBuffer;
  /** (T, C) */
  readonly y: GPUBuffer;
}

/** Layer norm, see `shaders/norm.wgsl`. */
export class Norm {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the layer norm of a model. */
  static async create(
    device: GPUDevice,
    { channels, epsilon }: { channels: number; epsilon: number },
  ): Promise<Norm> {
    return new Norm(
      await Kernel.create(device, {
        label: "norm",
        code,
        constants: { C4: channels / 4, STRIDE: rowStride(channels) / 4, EPSILON: epsilon },
        groups: [["read", "read", "read", "readWrite"]],
      }),
    );
  }

  /** Binds one norm's parameters between two buffers of activations. */
  bind({ x, gain, bias, y }: NormOperands): GPUBindGroup {
    return this.#kernel.bind(0, [read(x), read(gain), read(bias), readWrite(y)]);
  }

  /** Records the norm of the first `tokens` rows. */
  dispatch(pass: GPUComputePassEncoder, operands: GPUBindGroup, tokens: number): void {
    this.#kernel.dispatch(pass, { groups: [operands], workgroups: [tokens] });
  }
}
