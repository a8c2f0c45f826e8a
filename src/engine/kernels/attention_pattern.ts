import code from "../../../shaders/attention_pattern.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, readTexture, readWriteAt, uniform } from "../gpu/kernel.ts";

const WORKGROUP_ROWS = 8;

/** What the patterns of one layer are made from. */
export interface AttentionPatternOperands {
  /** `struct Layer`: the scale of the scores. */
  readonly layer: GPUBuffer;
  /** (T, 3C) */
  readonly qkv: GPUTextureView;
}

/** The sizes that attention kernels are compiled for. */
export interface AttentionShape {
  readonly heads: number;
  readonly channels: number;
}

/** The groups of an attention kernel: a layer's operands, the prompt, the patterns. */
export type AttentionGroups = readonly [BoundGroup, BoundGroup, BoundGroup];

/** Scores, causal softmax and the writing of the pattern, see `shaders/attention_pattern.wgsl`. */
export class AttentionPattern {
  readonly #kernel: Kernel;
  readonly #heads: number;

  private constructor(kernel: Kernel, heads: number) {
    this.#kernel = kernel;
    this.#heads = heads;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { heads, channels }: AttentionShape,
  ): Promise<AttentionPattern> {
    const kernel = await Kernel.create(device, {
      label: "attention_pattern",
      code,
      constants: { C4: channels / 4, D4: channels / heads / 4 },
      groups: [["uniform", "readTexture"], ["uniformAt"], ["readWriteAt"]],
    });
    return new AttentionPattern(kernel, heads);
  }

  /** Binds what one layer reads. */
  bind({ layer, qkv }: AttentionPatternOperands): GPUBindGroup {
    return this.#kernel.bind(0, [uniform(layer), readTexture(qkv)]);
  }

  /** Binds a buffer of patterns, of which a dispatch writes `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readWriteAt(patterns, { size })]);
  }

  /** Records the patterns of one layer, for so many targets. */
  dispatch(pass: GPUComputePassEncoder, groups: AttentionGroups, targets: number): void {
    this.#kernel.dispatch(pass, groups, [Math.ceil(targets / WORKGROUP_ROWS), this.#heads]);
  }
}
