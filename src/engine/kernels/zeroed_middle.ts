import code from "../../../shaders/zeroed_middle.wgsl" with { type: "text" };
import {
  type BoundGroup,
  Kernel,
  read,
  readAt,
  readTexture,
  readTextures,
  uniformAt,
  writeTexture,
} from "../gpu/kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";

/** What one layer's rows are made from, beside its patterns. */
export interface ZeroedMiddleOperands {
  /** Targets and sources. */
  readonly pairs: GPUBuffer;
  /** (H, T, C) */
  readonly f: GPUTextureView;
  /** (T, C): the residual stream after the layer's attention. */
  readonly y: GPUTextureView;
  /** (R, C) */
  readonly z: GPUTextureView;
}

/** The groups of the kernel: its operands, the prompt, the layer's patterns, a block of pairs. */
type Groups = readonly [BoundGroup, BoundGroup, BoundGroup, BoundGroup];

/** The stream after attention without a source, see `shaders/zeroed_middle.wgsl`. */
export class ZeroedMiddle {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { heads, channels }: AttentionShape,
  ): Promise<ZeroedMiddle> {
    return new ZeroedMiddle(
      await Kernel.create(device, {
        label: "zeroed_middle",
        code,
        constants: { C4: channels / 4, HEADS: heads },
        groups: [
          ["read", "readTextures", "readTexture", "writeTexture"],
          ["uniformAt"],
          ["readAt"],
          ["uniformAt"],
        ],
      }),
    );
  }

  /** Binds one layer's. */
  bind({ pairs, f, y, z }: ZeroedMiddleOperands): GPUBindGroup {
    return this.#kernel.bind(0, [read(pairs), readTextures(f), readTexture(y), writeTexture(z)]);
  }

  /** Binds a buffer of patterns, of which a dispatch reads `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readAt(patterns, { size })]);
  }

  /** Binds the blocks, of which a dispatch reads one at its offset. */
  bindBlocks(blocks: GPUBuffer): GPUBindGroup {
    return this.#kernel.bind(3, [uniformAt(blocks, { size: 16 })]);
  }

  /** Records so many rows. */
  dispatch(pass: GPUComputePassEncoder, groups: Groups, rows: number): void {
    this.#kernel.dispatch(pass, groups, [rows]);
  }
}
