import code from "../../../shaders/head_outputs.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, readTexture, writeTextures } from "../gpu/kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";

const WORKGROUP_ROWS = 8;
const WORKGROUP_CHANNELS = 128;

/** What the outputs of one layer's heads are made from. */
export interface HeadOutputsOperands {
  /** (T, 3C) */
  readonly qkv: GPUTextureView;
  /** (C, C) */
  readonly w: GPUTextureView;
  /** (H, T, C) */
  readonly f: GPUTextureView;
}

/** What each head writes for each source, see `shaders/head_outputs.wgsl`. */
export class HeadOutputs {
  readonly #kernel: Kernel;
  readonly #shape: AttentionShape;

  private constructor(kernel: Kernel, shape: AttentionShape) {
    this.#kernel = kernel;
    this.#shape = shape;
  }

  /** Compiles the kernel for a model. */
  static async create(device: GPUDevice, shape: AttentionShape): Promise<HeadOutputs> {
    const { heads, channels } = shape;
    const kernel = await Kernel.create(device, {
      label: "head_outputs",
      code,
      constants: { C4: channels / 4, D4: channels / heads / 4 },
      groups: [["readTexture", "readTexture", "writeTextures"], ["uniformAt"]],
    });
    return new HeadOutputs(kernel, shape);
  }

  /** Binds one layer's. */
  bind({ qkv, w, f }: HeadOutputsOperands): GPUBindGroup {
    return this.#kernel.bind(0, [readTexture(qkv), readTexture(w), writeTextures(f)]);
  }

  /** Records the outputs for so many sources. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [BoundGroup, BoundGroup],
    tokens: number,
  ): void {
    const { heads, channels } = this.#shape;
    this.#kernel.dispatch(pass, groups, [
      Math.ceil(channels / WORKGROUP_CHANNELS),
      Math.ceil(tokens / WORKGROUP_ROWS),
      heads,
    ]);
  }
}
