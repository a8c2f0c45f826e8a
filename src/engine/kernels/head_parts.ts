import code from "../../../shaders/head_parts.wgsl" with { type: "text" };
import { IndexUniform } from "./index_uniform.ts";
import { type BoundGroup, Kernel, read, readAt, readTexture, readWrite } from "../gpu/kernel.ts";

/** What one layer's parts are made from, beside its patterns. */
export interface HeadPartsOperands {
  /** (2, C) */
  readonly directions: GPUBuffer;
  /** (T, 3C) */
  readonly qkv: GPUTextureView;
  /** (C, C) */
  readonly w: GPUTextureView;
  /** (C) */
  readonly b: GPUBuffer;
  /** (L, H + 1, 2) */
  readonly parts: GPUBuffer;
}

/** What heads write at the last position, along directions, see `shaders/head_parts.wgsl`. */
export class HeadParts {
  readonly #kernel: Kernel;
  readonly #indices: IndexUniform;
  readonly #heads: number;

  private constructor(kernel: Kernel, indices: IndexUniform, heads: number) {
    this.#kernel = kernel;
    this.#indices = indices;
    this.#heads = heads;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { layers, heads, channels }: {
      readonly layers: number;
      readonly heads: number;
      readonly channels: number;
    },
  ): Promise<HeadParts> {
    const kernel = await Kernel.create(device, {
      label: "head_parts",
      code,
      constants: { C4: channels / 4, D4: channels / heads / 4, HEADS: heads },
      groups: [
        ["read", "readTexture", "readTexture", "read", "readWrite"],
        ["uniformAt"],
        ["readAt"],
        ["uniformAt"],
      ],
    });
    const indices = new IndexUniform(device, kernel, { group: 3, count: layers });
    return new HeadParts(kernel, indices, heads);
  }

  /** Binds one layer's. */
  bind({ directions, qkv, w, b, parts }: HeadPartsOperands): GPUBindGroup {
    return this.#kernel.bind(0, [
      read(directions),
      readTexture(qkv),
      readTexture(w),
      read(b),
      readWrite(parts),
    ]);
  }

  /** Binds a buffer of patterns, of which a dispatch reads `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readAt(patterns, { size })]);
  }

  /** Records the parts of one layer. */
  dispatch(
    pass: GPUComputePassEncoder,
    [operands, prompt, patterns]: readonly [BoundGroup, BoundGroup, BoundGroup],
    layer: number,
  ): void {
    const groups = [operands, prompt, patterns, this.#indices.at(layer)];
    this.#kernel.dispatch(pass, groups, [this.#heads + 1]);
  }
}
