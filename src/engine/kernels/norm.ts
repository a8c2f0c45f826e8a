import code from "../../../shaders/norm.wgsl" with { type: "text" };
import { Kernel, read, readTexture, writeTexture } from "../gpu/kernel.ts";

/** What one layer norm reads and writes. */
export interface NormOperands {
  /** (T, C) */
  readonly x: GPUTextureView;
  /** (C) */
  readonly gain: GPUBuffer;
  /** (C) */
  readonly bias: GPUBuffer;
  /** (T, C) */
  readonly y: GPUTextureView;
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
        constants: { C4: channels / 4, EPSILON: epsilon },
        groups: [["readTexture", "read", "read", "writeTexture"]],
      }),
    );
  }

  /** Binds one norm's parameters between two textures of activations. */
  bind({ x, gain, bias, y }: NormOperands): GPUBindGroup {
    return this.#kernel.bind(0, [readTexture(x), read(gain), read(bias), writeTexture(y)]);
  }

  /** Records the norm of the first `rows` rows. */
  dispatch(pass: GPUComputePassEncoder, operands: GPUBindGroup, rows: number): void {
    this.#kernel.dispatch(pass, [[operands]], [rows]);
  }
}
