import type { TopRow } from "./top_row.ts";
import { allocate, allocateTexture } from "../gpu/allocate.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { Owned } from "../gpu/owned.ts";
import type { BufferPart } from "../gpu/readback.ts";
import type { Recorder } from "../gpu/recorder.ts";
import type { Run } from "../passes/run.ts";
import { StructUniform } from "../gpu/struct_uniform.ts";
import { makeUniform } from "../gpu/uniform.ts";
import { Linear, type LinearKernel } from "../kernels/linear.ts";
import type { Norm } from "../kernels/norm.ts";
import { normFor } from "../kernels/norm_rows.ts";
import { BLOCK_MEMBERS, TopTokens } from "../kernels/top_tokens.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Weights } from "../model/weights.ts";

/** Tokens of a block; the whole table may be larger than a binding. */
const BLOCK = 8192;
/** Rows of the residual stream whose logits are computed at once. */
const ROWS = 256;

/** Rows of the residual stream: `rows` of a texture, from `row` on. */
export interface StreamRows {
  readonly texture: GPUTexture;
  readonly row: number;
  readonly rows: number;
}

/** The final layer norm and the unembedding on the device. */
export class Unembedding {
  /** Bytes that stay on the device. */
  readonly bytes: number;
  readonly #queue: GPUQueue;
  readonly #architecture: Architecture;
  readonly #parts: Parts;
  readonly #tops: GrowingBuffer;

  private constructor(device: GPUDevice, architecture: Architecture, parts: Parts) {
    this.#queue = device.queue;
    this.#architecture = architecture;
    this.#parts = parts;
    this.#tops = new GrowingBuffer(device, "top tokens");
    this.bytes = parts.blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Puts the table on the device.
   *
   * @throws {AllocationError} If the device has no room.
   */
  static async create(
    device: GPUDevice,
    architecture: Architecture,
    weights: Weights,
  ): Promise<Unembedding> {
    const { channels, vocabulary, epsilon } = architecture;
    const { kernel } = weights.layers[0]!.mlpIn.w;
    using owned = new Owned();
    const blocks: Linear[] = [];
    for (let first = 0; first < vocabulary; first += BLOCK) {
      const size = { first, channels, vocabulary };
      blocks.push(owned.add(await uploadBlock(kernel, weights.unembedding, size)));
    }
    const noBias = { label: "no bias", bytes: 4 * BLOCK, usage: GPUBufferUsage.STORAGE };
    const zeros = owned.add(await allocate(device, noBias));
    const texture = async (label: string, width: number): Promise<GPUTexture> =>
      owned.add(await allocateTexture(device, { label, width: width / 4, height: ROWS }));
    const input = await texture("rows of the residual stream", channels);
    const normed = (await texture("normed rows", channels)).createView();
    const logits = (await texture("logits", BLOCK)).createView();
    const count = owned.add(makeUniform(device, "rows of the pass", new Uint32Array(2)));
    const norm = await normFor(device).create(device, { channels, epsilon });
    const { affine } = weights.finalNorm;
    const residual = input.createView();
    const unembedding = new Unembedding(device, architecture, {
      blocks,
      input,
      logits,
      count,
      norm,
      topTokens: await TopTokens.create(device),
      places: new StructUniform(device, {
        label: "blocks of the vocabulary",
        members: BLOCK_MEMBERS,
        most: blocks.length,
      }),
      normed: norm.bind({ x: residual, affine, y: normed }),
      products: blocks.map((block) =>
        block.bind({ rows: count, x: normed, b: zeros, residual, y: logits })
      ),
    });
    owned.keep(); // they live as long as the engine
    return unembedding;
  }

  /**
   * Submits the search for the k most likely tokens of rows of the residual stream.
   *
   * @returns The buffer of the lists, for {@linkcode read}.
   * @throws {AllocationError} If the device has no room.
   */
  async top(run: Run, sources: readonly StreamRows[], k: number): Promise<BufferPart> {
    const { blocks } = this.#parts;
    const rows = countRows(sources);
    const half = rows * (2 + 2 * k) * Float32Array.BYTES_PER_ELEMENT;
    const buffer = await this.#tops.atLeast(2 * half);
    const operands = this.#parts.topTokens.bind({ logits: this.#parts.logits, tops: buffer });
    let row = 0;
    for (const batch of batchesOf(sources)) {
      const place = { row, rows, k };
      await run.submit({
        encode: (recorder) => this.#encode(recorder, batch, { operands, place }),
      });
      row += countRows(batch);
    }
    // Every other block writes the first half.
    return { buffer, offset: (blocks.length - 1) % 2 * half, bytes: half };
  }

  /** Reads the lists of rows. */
  read(numbers: Float32Array<ArrayBuffer>, k: number): TopRow[] {
    const ids = new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
    const width = 2 + 2 * k;
    return Array.from({ length: numbers.length / width }, (_, row) => {
      const at = row * width;
      const total = numbers[at]! + Math.log(numbers[at + 1]!);
      const logits = Array.from(numbers.subarray(at + 2, at + 2 + k));
      return {
        ids: Array.from(ids.subarray(at + 2 + k, at + width)),
        logits,
        logProbabilities: logits.map((logit) => logit - total),
        total,
      };
    });
  }

  #encode(
    recorder: Recorder,
    sources: readonly StreamRows[],
    { operands, place }: {
      operands: GPUBindGroup;
      place: { readonly row: number; readonly rows: number; readonly k: number };
    },
  ): void {
    const { channels, vocabulary } = this.#architecture;
    const { blocks, input, count, places, norm, normed, products, topTokens } = this.#parts;
    const rows = countRows(sources);
    this.#queue.writeBuffer(count, 0, new Uint32Array([rows, 0]));
    places.write(blocks.map((_, index) => ({
      ...place,
      first: index * BLOCK,
      tokens: Math.min(BLOCK, vocabulary - index * BLOCK),
      half: index % 2,
    })));
    let at = 0;
    for (const { texture, row, rows } of sources) {
      recorder.encoder.copyTextureToTexture(
        { texture, origin: [0, row] },
        { texture: input, origin: [0, at] },
        [channels / 4, rows],
      );
      at += rows;
    }
    const { pass } = recorder;
    norm.dispatch(pass, [[normed]], { rows });
    blocks.forEach((block, index) => {
      block.dispatch(pass, products[index]!, { rows });
      topTokens.dispatch(pass, [[operands], places.at(index)], { rows });
    });
  }
}

/** How many rows there are. */
function countRows(sources: readonly StreamRows[]): number {
  return sources.reduce((sum, { rows }) => sum + rows, 0);
}

/** Rows in their order, in batches that fit into memory. */
function batchesOf(sources: readonly StreamRows[]): StreamRows[][] {
  const batches: StreamRows[][] = [];
  let left = 0;
  for (const { texture, ...all } of sources) {
    for (let done = 0; done < all.rows;) {
      if (left === 0) {
        batches.push([]);
        left = ROWS;
      }
      const rows = Math.min(left, all.rows - done);
      batches.at(-1)!.push({ texture, row: all.row + done, rows });
      done += rows;
      left -= rows;
    }
  }
  return batches;
}

interface Parts {
  readonly blocks: readonly Linear[];
  readonly input: GPUTexture;
  readonly logits: GPUTextureView;
  readonly count: GPUBuffer;
  readonly places: StructUniform<typeof BLOCK_MEMBERS[number]>;
  readonly norm: Norm;
  readonly topTokens: TopTokens;
  readonly normed: GPUBindGroup;
  readonly products: readonly GPUBindGroup[];
}

/** Turns some rows of the table, (tokens, C), into the matrix of a linear, (C, tokens). */
async function uploadBlock(
  kernel: LinearKernel,
  table: Float32Array,
  { first, channels, vocabulary }: { first: number; channels: number; vocabulary: number },
): Promise<Linear> {
  const tokens = Math.min(BLOCK, vocabulary - first);
  const outputs = Math.ceil(tokens / 128) * 128;
  const matrix = new Float32Array(channels * outputs);
  for (let token = 0; token < tokens; token++) {
    const row = (first + token) * channels;
    for (let c = 0; c < channels; c++) matrix[c * outputs + token] = table[row + c]!;
  }
  return await kernel.upload(`unembedding from token ${first}`, matrix, {
    inputs: channels,
    outputs,
    epilogue: "store",
  });
}
