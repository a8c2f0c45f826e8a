import code from "../../../shaders/route_parts.wgsl" with { type: "text" };
import {
  type BoundGroup,
  Kernel,
  readAt,
  readTexture,
  readTextures,
  readWrite,
} from "../gpu/kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";

/** Sources, and targets, of a workgroup, and its heads. */
const TILE = 8;
const TILE_HEADS = 4;

/** What one layer's parts are made from, beside its patterns. */
export interface RoutePartsOperands {
  /** (H, T, C) */
  readonly f: GPUTextureView;
  /** (T, C): the residual stream after the layer's attention. */
  readonly y: GPUTextureView;
  /** (H, T, T), packed */
  readonly parts: GPUBuffer;
}

/** How much nearer each head brings a target to what it becomes, see `shaders/route_parts.wgsl`. */
export class RouteParts {
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
  ): Promise<RouteParts> {
    const kernel = await Kernel.create(device, {
      label: "route_parts",
      code,
      constants: { C4: channels / 4, HEADS: heads },
      groups: [["readTextures", "readTexture", "readWrite"], ["uniformAt"], ["readAt"]],
    });
    return new RouteParts(kernel, heads);
  }

  /** Binds one layer's. */
  bind({ f, y, parts }: RoutePartsOperands): GPUBindGroup {
    return this.#kernel.bind(0, [readTextures(f), readTexture(y), readWrite(parts)]);
  }

  /** Binds a buffer of patterns, of which a dispatch reads `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readAt(patterns, { size })]);
  }

  /** Records the parts of one layer. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [BoundGroup, BoundGroup, BoundGroup],
    tokens: number,
  ): void {
    const tiles = Math.ceil(tokens / TILE);
    this.#kernel.dispatch(pass, groups, [tiles, tiles, Math.ceil(this.#heads / TILE_HEADS)]);
  }
}
