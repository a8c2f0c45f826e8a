import code from "../../shaders/attention_pattern.wgsl" with { type: "text" };
import { Kernel, read, readWriteAt, uniform } from "../gpu/kernel.ts";
import { rowStride } from "./linear.ts";

const WORKGROUP_ROWS = 8;

/** What the patterns of one layer are made from. */
export interface AttentionPatternOperands {
  readonly prompt: GPUBuffer;
  /** `Layer`: the scale of the scores. */
  readonly layer: GPUBuffer;
  /** (T, 3C) */
  readonly qkv: GPUBuffer;
}

/** The sizes that attention kernels are compiled for. */
export interface AttentionShape {
  readonly heads: number;
  readonly channels: number;
}

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
      constants: {
        C4: channels / 4,
        D4: channels / heads / 4,
        STRIDE: rowStride(3 * channels) / 4,
      },
      groups: [["uniform", "uniform", "read"], ["readWriteAt"]],
    });
    return new AttentionPattern(kernel, heads);
  }

  /** Binds what one layer reads. */
  bind({ prompt, layer, qkv }: AttentionPatternOperands): GPUBindGroup {
    return this.#kernel.bind(0, [uniform(prompt), uniform(layer), read(qkv)]);
  }

  /** Binds a buffer of patterns, of which a dispatch writes `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(1, [readWriteAt(patterns, size)]);
  }

  /** Records the patterns of one layer. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [operands: GPUBindGroup, patterns: GPUBindGroup],
    { tokens, offset }: { tokens: number; offset: number },
  ): void {
    const workgroups = [Math.ceil(tokens / WORKGROUP_ROWS), this.#heads] as const;
    this.#kernel.dispatch(pass, { groups, workgroups, offsets: [offset] });
  }
}
