import code from "../../../shaders/measure_turns.wgsl" with { type: "text" };
import {
  type BoundGroup,
  Kernel,
  read,
  readTexture,
  readWriteAt,
  uniformAt,
} from "../gpu/kernel.ts";

/** What one layer's turns are measured from. */
export interface MeasureTurnsOperands {
  /** Targets and sources. */
  readonly pairs: GPUBuffer;
  /** (R, C): the layer's output without the source. */
  readonly z: GPUTextureView;
  /** (T, C): the layer's output. */
  readonly y: GPUTextureView;
}

/** How much a layer's output turns without a source, see `shaders/measure_turns.wgsl`. */
export class MeasureTurns {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel for a model of so many channels. */
  static async create(device: GPUDevice, channels: number): Promise<MeasureTurns> {
    return new MeasureTurns(
      await Kernel.create(device, {
        label: "measure_turns",
        code,
        constants: { C4: channels / 4 },
        groups: [["read", "readTexture", "readTexture"], ["uniformAt"], ["readWriteAt"]],
      }),
    );
  }

  /** Binds one layer's. */
  bind({ pairs, z, y }: MeasureTurnsOperands): GPUBindGroup {
    return this.#kernel.bind(0, [read(pairs), readTexture(z), readTexture(y)]);
  }

  /** Binds the blocks, of which a dispatch reads one at its offset. */
  bindBlocks(blocks: GPUBuffer): GPUBindGroup {
    return this.#kernel.bind(1, [uniformAt(blocks, { size: 16 })]);
  }

  /** Binds a buffer of matrices, of which a dispatch writes `size` bytes at its offset. */
  bindMatrix(matrix: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readWriteAt(matrix, { size })]);
  }

  /** Records so many rows. */
  dispatch(
    pass: GPUComputePassEncoder,
    groups: readonly [BoundGroup, BoundGroup, BoundGroup],
    rows: number,
  ): void {
    this.#kernel.dispatch(pass, groups, [rows]);
  }
}
