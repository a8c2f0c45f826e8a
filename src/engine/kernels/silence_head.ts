import code from "../../../shaders/silence_head.wgsl" with { type: "text" };
import { IndexUniform } from "./index_uniform.ts";
import { type BoundGroup, Kernel, writeTexture } from "../gpu/kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";

const WORKGROUP = 64;

/** A head's values made zero, see `shaders/silence_head.wgsl`. */
export class SilenceHead {
  readonly #kernel: Kernel;
  readonly #indices: IndexUniform;
  /** Texels of a head. */
  readonly #width: number;

  private constructor(kernel: Kernel, indices: IndexUniform, width: number) {
    this.#kernel = kernel;
    this.#indices = indices;
    this.#width = width;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { heads, channels }: AttentionShape,
  ): Promise<SilenceHead> {
    const width = channels / heads / 4;
    const kernel = await Kernel.create(device, {
      label: "silence_head",
      code,
      constants: { C4: channels / 4, D4: width },
      groups: [["writeTexture"], ["uniformAt"], ["uniformAt"]],
    });
    const indices = new IndexUniform(device, kernel, { group: 2, count: heads });
    return new SilenceHead(kernel, indices, width);
  }

  /** Binds one layer's queries, keys and values, (T, 3C). */
  bind(qkv: GPUTextureView): GPUBindGroup {
    return this.#kernel.bind(0, [writeTexture(qkv)]);
  }

  /** Records the silencing of one head. */
  dispatch(
    pass: GPUComputePassEncoder,
    [qkv, prompt]: readonly [BoundGroup, BoundGroup],
    { head, tokens }: { readonly head: number; readonly tokens: number },
  ): void {
    const workgroups = Math.ceil(tokens * this.#width / WORKGROUP);
    this.#kernel.dispatch(pass, [qkv, prompt, this.#indices.at(head)], [workgroups]);
  }
}
