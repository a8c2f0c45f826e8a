import code from "../../../shaders/route_sums.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, read, readTexture, readWriteAt } from "../gpu/kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";

/** What one layer's sums are made from. */
export interface RouteSumsOperands {
  /** (T, C): the residual stream before the layer. */
  readonly x: GPUTextureView;
  /** (T, C): the residual stream after its attention. */
  readonly y: GPUTextureView;
  /** (H, T, T), packed */
  readonly parts: GPUBuffer;
}

/** The parts of all heads and of the residual stream in one matrix, see `shaders/route_sums.wgsl`. */
export class RouteSums {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel for a model. */
  static async create(
    device: GPUDevice,
    { heads, channels }: AttentionShape,
  ): Promise<RouteSums> {
    return new RouteSums(
      await Kernel.create(device, {
        label: "route_sums",
        code,
        constants: { C4: channels / 4, HEADS: heads },
        groups: [["readTexture", "readTexture", "read"], ["uniformAt"], ["readWriteAt"]],
      }),
    );
  }

  /** Binds one layer's. */
  bind({ x, y, parts }: RouteSumsOperands): GPUBindGroup {
    return this.#kernel.bind(0, [readTexture(x), readTexture(y), read(parts)]);
  }

  /** Binds a buffer of matrices, of which a dispatch writes `size` bytes at its offset. */
  bindMatrix(matrix: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readWriteAt(matrix, { size })]);
  }

  /** Records the sums of one layer. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [BoundGroup, BoundGroup, BoundGroup],
    tokens: number,
  ): void {
    this.#kernel.dispatch(pass, groups, [tokens]);
  }
}
