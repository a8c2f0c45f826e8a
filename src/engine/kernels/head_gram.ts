import code from "../../../shaders/head_gram.wgsl" with { type: "text" };
import { Kernel, readTexture, readTextures, readWrite } from "../gpu/kernel.ts";

/** The sizes that it is compiled for. */
export interface HeadGramShape {
  readonly heads: number;
  readonly channels: number;
  /** H, or H + 1 with the residual stream. */
  readonly vectors: number;
}

/** What one layer's products are made from. */
export interface HeadGramOperands {
  /** (H, T, C) */
  readonly f: GPUTextureView;
  /** (T, C), read only where the residual stream is among the vectors. */
  readonly x: GPUTextureView;
  /** (T, vectors, vectors) */
  readonly gram: GPUBuffer;
}

/** Scalar products of head outputs, see `shaders/head_gram.wgsl`. */
export class HeadGram {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { heads, channels, vectors }: HeadGramShape,
  ): Promise<HeadGram> {
    return new HeadGram(
      await Kernel.create(device, {
        label: "head_gram",
        code,
        constants: { C4: channels / 4, HEADS: heads, VECTORS: vectors },
        groups: [["readTextures", "readTexture", "readWrite"]],
      }),
    );
  }

  /** Binds one layer's. */
  bind({ f, x, gram }: HeadGramOperands): GPUBindGroup {
    return this.#kernel.bind(0, [readTextures(f), readTexture(x), readWrite(gram)]);
  }

  /** Records the products for so many sources. */
  dispatch(pass: GPUComputePassEncoder, operands: GPUBindGroup, tokens: number): void {
    this.#kernel.dispatch(pass, [[operands]], [tokens]);
  }
}
