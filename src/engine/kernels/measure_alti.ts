import code from "../../../shaders/measure_alti.wgsl" with { type: "text" };
import { Kernel, readAt, readTexture, readTextures, readWriteAt } from "../gpu/kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import type { MeasureGroups } from "./measure_norms.ts";

/** Sources, and targets, of a workgroup. */
const TILE = 8;

/** What one layer's measure is made from, beside its patterns. */
export interface MeasureAltiOperands {
  /** (H, T, C) */
  readonly f: GPUTextureView;
  /** (T, C): the residual stream before the layer. */
  readonly x: GPUTextureView;
  /** (T, C): the residual stream after its attention. */
  readonly y: GPUTextureView;
}

/** How much nearer a source brings a target to what it becomes, see `shaders/measure_alti.wgsl`. */
export class MeasureAlti {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { heads, channels }: AttentionShape,
  ): Promise<MeasureAlti> {
    return new MeasureAlti(
      await Kernel.create(device, {
        label: "measure_alti",
        code,
        constants: { C4: channels / 4, HEADS: heads },
        groups: [
          ["readTextures", "readTexture", "readTexture"],
          ["uniformAt"],
          ["readAt"],
          ["readWriteAt"],
        ],
      }),
    );
  }

  /** Binds one layer's. */
  bind({ f, x, y }: MeasureAltiOperands): GPUBindGroup {
    return this.#kernel.bind(0, [readTextures(f), readTexture(x), readTexture(y)]);
  }

  /** Binds a buffer of patterns, of which a dispatch reads `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readAt(patterns, { size })]);
  }

  /** Binds a buffer of matrices, of which a dispatch writes `size` bytes at its offset. */
  bindMatrix(matrix: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(3, [readWriteAt(matrix, { size })]);
  }

  /** Records the measure of one layer. */
  dispatch(pass: GPUComputePassEncoder, groups: MeasureGroups, tokens: number): void {
    const tiles = Math.ceil(tokens / TILE);
    this.#kernel.dispatch(pass, groups, [tiles, tiles]);
  }
}
