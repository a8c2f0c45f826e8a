import code from "../../shaders/mix_values.wgsl" with { type: "text" };
import { Kernel, read, readAt, readWrite, uniform } from "../gpu/kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { rowStride } from "./linear.ts";

const INVOCATION_ROWS = 8;
const WORKGROUP = 32;

/** What mixing the values of one layer reads and writes, beside its patterns. */
export interface MixValuesOperands {
  readonly prompt: GPUBuffer;
  /** (T, 3C) */
  readonly qkv: GPUBuffer;
  /** (T, C) */
  readonly z: GPUBuffer;
}

/** z = A v for every head, see `shaders/mix_values.wgsl`. */
export class MixValues {
  readonly #kernel: Kernel;
  readonly #channels: number;

  private constructor(kernel: Kernel, channels: number) {
    this.#kernel = kernel;
    this.#channels = channels;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { heads, channels }: AttentionShape,
  ): Promise<MixValues> {
    const kernel = await Kernel.create(device, {
      label: "mix_values",
      code,
      constants: {
        C4: channels / 4,
        D4: channels / heads / 4,
        STRIDE: rowStride(3 * channels) / 4,
        Z_STRIDE: rowStride(channels) / 4,
      },
      groups: [["uniform", "read", "readWrite"], ["readAt"]],
    });
    return new MixValues(kernel, channels);
  }

  /** Binds the activations. */
  bind({ prompt, qkv, z }: MixValuesOperands): GPUBindGroup {
    return this.#kernel.bind(0, [uniform(prompt), read(qkv), readWrite(z)]);
  }

  /** Binds a buffer of patterns, of which a dispatch reads `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(1, [readAt(patterns, size)]);
  }

  /** Records the mixing of one layer. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [operands: GPUBindGroup, patterns: GPUBindGroup],
    { tokens, offset }: { tokens: number; offset: number },
  ): void {
    const invocations = Math.ceil(tokens / INVOCATION_ROWS) * this.#channels / 4;
    this.#kernel.dispatch(pass, {
      groups,
      workgroups: [Math.ceil(invocations / WORKGROUP)],
      offsets: [offset],
    });
  }
}
