import { allocateTexture } from "../../gpu/allocate.ts";
import { GrowingBuffer } from "../../gpu/growing_buffer.ts";
import { Owned } from "../../gpu/owned.ts";
import type { BoundGroup } from "../../gpu/kernel.ts";
import { UNIFORM_ALIGNMENT } from "../../gpu/struct_uniform.ts";
import { makeUniform } from "../../gpu/uniform.ts";
import { MeasureTurns } from "../../kernels/measure_turns.ts";
import type { Norm } from "../../kernels/norm.ts";
import { normFor } from "../../kernels/norm_rows.ts";
import { ZeroedMiddle } from "../../kernels/zeroed_middle.ts";
import type { Architecture } from "../../../requests/architecture/architecture.ts";
import type { LayerWeights } from "../../model/weights.ts";
import type { PartOfBuffer } from "./method_kernels.ts";

/** Pairs of a target and a source that go through the MLP at once. */
const ROWS = 1024;

/** The inputs from which one layer is measured. */
export interface ZeroedLayer {
  readonly prompt: BoundGroup;
  readonly weights: LayerWeights;
  /** (H, T, C) */
  readonly f: GPUTextureView;
  /** (T, C): the residual stream after the layer's attention, and after its MLP. */
  readonly middle: GPUTextureView;
  readonly after: GPUTextureView;
  readonly patterns: PartOfBuffer;
  readonly matrix: PartOfBuffer;
}

/** Runs a row through a layer's MLP for each pair of a target and a source. */
export class ZeroedLayers {
  readonly #device: GPUDevice;
  readonly #parts: Parts;
  readonly #pairs: GrowingBuffer;
  readonly #blocks: GrowingBuffer;
  /** Rows of each block. */
  #rows: readonly number[] = [];

  private constructor(device: GPUDevice, parts: Parts) {
    this.#device = device;
    this.#parts = parts;
    this.#pairs = new GrowingBuffer(device, "pairs");
    this.#blocks = new GrowingBuffer(device, "blocks of pairs", GPUBufferUsage.UNIFORM);
  }

  /**
   * Compiles the kernels and allocates a block of rows.
   *
   * @throws {AllocationError} If the device has no room.
   */
  static async create(device: GPUDevice, architecture: Architecture): Promise<ZeroedLayers> {
    const { channels, inner, epsilon } = architecture;
    using owned = new Owned();
    const make = async (label: string, width: number): Promise<GPUTextureView> => {
      const size = { label, width: width / 4, height: ROWS };
      return owned.add(await allocateTexture(device, size)).createView();
    };
    const made = new ZeroedLayers(device, {
      zeroedMiddle: await ZeroedMiddle.create(device, architecture),
      norm: await normFor(device).create(device, { channels, epsilon }),
      measureTurns: await MeasureTurns.create(device, { channels }),
      middle: await make("zeroed streams after attention", channels),
      normed: await make("normed zeroed streams", channels),
      hidden: await make("hidden layer of zeroed streams", inner),
      after: await make("zeroed streams after the MLP", channels),
      whole: makeUniform(device, "rows of a whole block", new Uint32Array([ROWS, 0])),
      rest: makeUniform(device, "rows of the last block", new Uint32Array(2)),
    });
    owned.keep(); // they live as long as the engine
    return made;
  }

  /** Lists the pairs of a prompt. */
  async prepare(tokens: number): Promise<void> {
    const pairs: number[] = [];
    for (let i = 0; i < tokens; i++) {
      for (let j = 0; j <= i; j++) pairs.push(i, j);
    }
    const count = pairs.length / 2;
    this.#rows = Array.from(
      { length: Math.ceil(count / ROWS) },
      (_, block) => Math.min(ROWS, count - block * ROWS),
    );
    const { queue } = this.#device;
    const words = new Uint32Array(this.#rows.length * UNIFORM_ALIGNMENT / 4);
    this.#rows.forEach((_, block) => words[block * UNIFORM_ALIGNMENT / 4] = block * ROWS);
    queue.writeBuffer(await this.#pairs.atLeast(4 * pairs.length), 0, new Uint32Array(pairs));
    queue.writeBuffer(await this.#blocks.atLeast(words.byteLength), 0, words);
    queue.writeBuffer(this.#parts.rest, 0, new Uint32Array([this.#rows.at(-1)!, 0]));
  }

  /** Records the measure of one layer. */
  encode(pass: GPUComputePassEncoder, layer: ZeroedLayer): void {
    const { zeroedMiddle, norm, measureTurns, middle, normed, hidden, after } = this.#parts;
    const { prompt, weights: { norm2, mlpIn, mlpOut }, f, patterns, matrix } = layer;
    const pairs = this.#pairs.buffer!;
    const blocks = this.#blocks.buffer!;
    const zeroed = zeroedMiddle.bind({ pairs, f, y: layer.middle, z: middle });
    const zeroedPatterns = zeroedMiddle.bind({ patterns: patterns.bound });
    const zeroedBlocks = zeroedMiddle.bind({ block: { buffer: blocks, size: 16 } });
    const normedMiddle = norm.bind({ x: middle, affine: norm2.affine, y: normed });
    const turns = measureTurns.bind({ pairs, z: after, y: layer.after });
    const turnsBlocks = measureTurns.bind({ block: { buffer: blocks, size: 16 } });
    const turnsMatrix = measureTurns.bind({ matrix: matrix.bound });
    this.#rows.forEach((count, block) => {
      const rows = block < this.#rows.length - 1 ? this.#parts.whole : this.#parts.rest;
      const offset = block * UNIFORM_ALIGNMENT;
      zeroedMiddle.dispatch(pass, [
        [zeroed],
        prompt,
        [zeroedPatterns, patterns.offset],
        [zeroedBlocks, offset],
      ], { rows: count });
      norm.dispatch(pass, [[normedMiddle]], { rows: count });
      const into = mlpIn.w.bind({ rows, x: normed, b: mlpIn.b, residual: middle, y: hidden });
      mlpIn.w.dispatch(pass, into, { rows: count });
      const out = mlpOut.w.bind({ rows, x: hidden, b: mlpOut.b, residual: middle, y: after });
      mlpOut.w.dispatch(pass, out, { rows: count });
      const groups = [[turns], [turnsBlocks, offset], [turnsMatrix, matrix.offset]] as const;
      measureTurns.dispatch(pass, groups, { rows: count });
    });
  }
}

interface Parts {
  readonly zeroedMiddle: ZeroedMiddle;
  readonly norm: Norm;
  readonly measureTurns: MeasureTurns;
  readonly middle: GPUTextureView;
  readonly normed: GPUTextureView;
  readonly hidden: GPUTextureView;
  readonly after: GPUTextureView;
  readonly whole: GPUBuffer;
  readonly rest: GPUBuffer;
}
