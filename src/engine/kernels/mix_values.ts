import code from "../../../shaders/mix_values.wgsl" with { type: "text" };
import { Kernel, readAt, readTexture, writeTexture } from "../gpu/kernel.ts";
import type { AttentionGroups, AttentionShape } from "./attention_pattern.ts";

const INVOCATION_ROWS = 8;
const INVOCATION_CHANNELS = 16;
const WORKGROUP = 16;

/** What mixing the values of one layer reads and writes, beside its patterns. */
export interface MixValuesOperands {
  /** (T, 3C) */
  readonly qkv: GPUTextureView;
  /** (T, C) */
  readonly z: GPUTextureView;
}

/** z = A v for every head, see `shaders/mix_values.wgsl`. */
export class MixValues {
  readonly #kernel: Kernel;
  /** Invocations for each block of targets. */
  readonly #invocations: number;

  private constructor(kernel: Kernel, invocations: number) {
    this.#kernel = kernel;
    this.#invocations = invocations;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { heads, channels }: AttentionShape,
  ): Promise<MixValues> {
    const kernel = await Kernel.create(device, {
      label: "mix_values",
      code,
      constants: { C4: channels / 4, D4: channels / heads / 4, HEADS: heads },
      groups: [["readTexture", "writeTexture"], ["uniformAt"], ["readAt"]],
    });
    return new MixValues(kernel, heads * Math.ceil(channels / heads / INVOCATION_CHANNELS));
  }

  /** Binds the activations of one layer. */
  bind({ qkv, z }: MixValuesOperands): GPUBindGroup {
    return this.#kernel.bind(0, [readTexture(qkv), writeTexture(z)]);
  }

  /** Binds a buffer of patterns, of which a dispatch reads `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readAt(patterns, { size })]);
  }

  /** Records the mixing of one layer, for so many targets. */
  dispatch(pass: GPUComputePassEncoder, groups: AttentionGroups, targets: number): void {
    const invocations = Math.ceil(targets / INVOCATION_ROWS) * this.#invocations;
    this.#kernel.dispatch(pass, groups, [Math.ceil(invocations / WORKGROUP)]);
  }
}
