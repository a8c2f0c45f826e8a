import type { Architecture } from "../../requests/architecture/architecture.ts";
import { GrowingTexture } from "../gpu/growing_texture.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import { HeadOutputs } from "../kernels/head_outputs.ts";
import type { Forward } from "../model/forward.ts";
import type { OutputMatrices } from "../model/output_matrices.ts";

/** f[h, j] = v[h, j] W_O[h] of one layer at a time: what head h would write for source j. */
export class HeadWrites {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #forward: Forward;
  readonly #outputMatrices: () => Promise<OutputMatrices>;
  readonly #outputs: GrowingTexture;
  #kernel: HeadOutputs | undefined;
  #matrices: OutputMatrices | undefined;

  /** @param parts The forward pass, and the function that makes the heads' output matrices. */
  constructor(
    device: GPUDevice,
    architecture: Architecture,
    { forward, outputMatrices }: {
      readonly forward: Forward;
      readonly outputMatrices: () => Promise<OutputMatrices>;
    },
  ) {
    const { heads, channels } = architecture;
    this.#device = device;
    this.#architecture = architecture;
    this.#forward = forward;
    this.#outputMatrices = outputMatrices;
    const size = { label: "head outputs", width: channels / 4, layers: heads };
    this.#outputs = new GrowingTexture(device, size);
  }

  /**
   * Makes room for `tokens` tokens.
   *
   * @throws {AllocationError} If the device has none.
   */
  async prepare(tokens: number): Promise<void> {
    this.#kernel ??= await HeadOutputs.create(this.#device, this.#architecture);
    this.#matrices ??= await this.#outputMatrices();
    await this.#outputs.atLeast(tokens);
  }

  /** Records one layer. @returns f, (H, T, C). */
  encode(
    pass: GPUComputePassEncoder,
    { tokens, prompt }: { readonly tokens: number; readonly prompt: BoundGroup },
    layer: number,
  ): GPUTextureView {
    const f = this.#outputs.texture!.createView({ dimension: "2d-array" });
    const [qkv, w] = [this.#forward.qkv(layer), this.#matrices!.view(layer)];
    this.#kernel!.dispatch(pass, [[this.#kernel!.bind({ qkv, w, f })], prompt], { tokens });
    return f;
  }
}
