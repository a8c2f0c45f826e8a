import { allocate } from "../gpu/allocate.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { GrowingTexture } from "../gpu/growing_texture.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import { HeadGram } from "../kernels/head_gram.ts";
import { HeadOutputs } from "../kernels/head_outputs.ts";
import { MeasureAlti } from "../kernels/measure_alti.ts";
import { MeasureNorms, type NormKind } from "../kernels/measure_norms.ts";
import { RouteParts } from "../kernels/route_parts.ts";
import { RouteSums } from "../kernels/route_sums.ts";
import { RowShares } from "../kernels/row_shares.ts";
import type { Architecture } from "../model/architecture.ts";
import type { Forward } from "../model/forward.ts";
import { makeOutputMatrices, type OutputMatrices } from "../model/output_matrices.ts";
import { type PatternEntry, patternsOf } from "../patterns/entry.ts";
import { VEC4 } from "../patterns/layout.ts";
import { streamIndex, streamView } from "../patterns/streams.ts";
import type { Method } from "./definitions.ts";

/** A method whose matrices are measured layer by layer, from what heads write. */
export type Measure = Exclude<Method, "ATTENTION" | "VALUE_ZEROING">;

/** A prompt that is measured. Its values are in rows 0 and on of the forward pass's `qkv`. */
export interface MeasuredPrompt {
  readonly entry: PatternEntry;
  readonly tokens: number;
  /** What tells kernels of it. */
  readonly prompt: BoundGroup;
}

/** What one layer is measured from. */
interface LayerOperands {
  readonly f: GPUTextureView;
  readonly x: GPUTextureView;
  readonly y: GPUTextureView;
  readonly patterns: { readonly buffer: GPUBuffer; readonly offset: number };
  readonly matrix: { readonly buffer: GPUBuffer; readonly offset: number };
}

/** A method's kernels. */
interface MeasureKernels {
  /** Makes room for what it needs beside head outputs. */
  prepare(measured: MeasuredPrompt): Promise<void>;
  /** Records one layer. */
  encode(pass: GPUComputePassEncoder, measured: MeasuredPrompt, operands: LayerOperands): void;
}

/** Whether a method looks at the residual stream, not at patterns and values alone. */
export function needsStreams(method: Method): boolean {
  return !["ATTENTION", "VALUE_NORM", "ATTENTION_NORM"].includes(method);
}

/** Measures flow by other methods than attention; their kernels are compiled when they are first asked for. */
export class Measures {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #forward: Forward;
  readonly #kernels = new Map<Measure, MeasureKernels>();
  readonly #outputs: GrowingTexture;
  readonly #gram: GrowingBuffer;
  readonly #parts: GrowingBuffer;
  #headOutputs: HeadOutputs | undefined;
  #rowShares: RowShares | undefined;
  #matrices: OutputMatrices | undefined;

  constructor(device: GPUDevice, architecture: Architecture, forward: Forward) {
    const { heads, channels } = architecture;
    this.#device = device;
    this.#architecture = architecture;
    this.#forward = forward;
    this.#outputs = new GrowingTexture(device, {
      label: "head outputs",
      width: channels / 4,
      layers: heads,
    });
    this.#gram = new GrowingBuffer(device, "products of head outputs");
    this.#parts = new GrowingBuffer(device, "parts of routes");
  }

  /**
   * Compiles what a method needs and makes room for it.
   *
   * @returns A buffer for its matrices, (L, T, T) packed as the entry's mean is, and how many bytes are on the device
   *   for good since.
   * @throws {AllocationError} If the device has no room.
   */
  async prepare(
    method: Measure,
    measured: MeasuredPrompt,
  ): Promise<{ readonly matrix: GPUBuffer; readonly kept: number }> {
    const { entry, tokens } = measured;
    const device = this.#device;
    const isFirst = !this.#matrices;
    this.#headOutputs ??= await HeadOutputs.create(device, this.#architecture);
    this.#rowShares ??= await RowShares.create(device);
    this.#matrices ??= await makeOutputMatrices(device, this.#architecture, this.#forward);
    const kernels = this.#kernels.get(method) ?? await this.#compile(method);
    this.#kernels.set(method, kernels);
    await this.#outputs.atLeast(tokens);
    await kernels.prepare(measured);
    const matrix = await allocate(device, {
      label: `matrices of ${method}`,
      bytes: entry.mean.size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
    });
    return { matrix, kept: isFirst ? this.#matrices.bytes : 0 };
  }

  /** Records the measuring of all layers; the rows of the matrices sum to 1. */
  encode(
    pass: GPUComputePassEncoder,
    method: Measure,
    { matrix, ...measured }: MeasuredPrompt & { readonly matrix: GPUBuffer },
  ): void {
    const { entry, tokens, prompt } = measured;
    const { layers } = this.#architecture;
    const f = this.#outputs.texture!.createView({ dimension: "2d-array" });
    for (let layer = 0; layer < layers; layer++) {
      const qkv = this.#forward.qkv(layer);
      const outputs = this.#headOutputs!.bind({ qkv, w: this.#matrices!.view(layer), f });
      this.#headOutputs!.dispatch(pass, [[outputs], prompt], tokens);
      const stream = (index: number): GPUTextureView =>
        entry.streams ? streamView(entry.streams, index) : qkv;
      this.#kernels.get(method)!.encode(pass, measured, {
        f,
        x: stream(streamIndex(layer, "before")),
        y: stream(streamIndex(layer, "middle")),
        patterns: patternsOf(entry, layer),
        matrix: { buffer: matrix, offset: layer * entry.stride * VEC4 },
      });
    }
    this.#rowShares!.dispatch(pass, [[this.#rowShares!.bind(matrix)], prompt], { tokens, layers });
  }

  async #compile(method: Measure): Promise<MeasureKernels> {
    switch (method) {
      case "VALUE_NORM":
        return await this.#norms("apart");
      case "ATTENTION_NORM":
        return await this.#norms("together");
      case "ATTENTION_RESIDUAL":
        return await this.#norms("residual");
      case "ALTI":
        return await this.#alti();
      case "ROUTES":
        return await this.#routes();
    }
  }

  async #norms(kind: NormKind): Promise<MeasureKernels> {
    const { heads, channels } = this.#architecture;
    const vectors = kind === "residual" ? heads + 1 : heads;
    const headGram = await HeadGram.create(this.#device, { heads, channels, vectors });
    const norms = await MeasureNorms.create(this.#device, { heads, vectors, kind });
    return {
      prepare: async ({ tokens }) => {
        await this.#gram.atLeast(tokens * vectors ** 2 * Float32Array.BYTES_PER_ELEMENT);
      },
      encode: (pass, { entry, tokens, prompt }, { f, x, patterns, matrix }) => {
        const gram = this.#gram.buffer!;
        headGram.dispatch(pass, headGram.bind({ f, x, gram }), tokens);
        norms.dispatch(pass, [
          [norms.bind(gram)],
          prompt,
          [norms.bindPatterns(patterns.buffer, entry.layerBytes), patterns.offset],
          [norms.bindMatrix(matrix.buffer, entry.stride * VEC4), matrix.offset],
        ], tokens);
      },
    };
  }

  async #alti(): Promise<MeasureKernels> {
    const alti = await MeasureAlti.create(this.#device, this.#architecture);
    return {
      prepare: () => Promise.resolve(),
      encode: (pass, { entry, tokens, prompt }, { f, x, y, patterns, matrix }) =>
        alti.dispatch(pass, [
          [alti.bind({ f, x, y })],
          prompt,
          [alti.bindPatterns(patterns.buffer, entry.layerBytes), patterns.offset],
          [alti.bindMatrix(matrix.buffer, entry.stride * VEC4), matrix.offset],
        ], tokens),
    };
  }

  async #routes(): Promise<MeasureKernels> {
    const routeParts = await RouteParts.create(this.#device, this.#architecture);
    const routeSums = await RouteSums.create(this.#device, this.#architecture);
    return {
      prepare: async ({ entry }) => {
        await this.#parts.atLeast(entry.layerBytes);
      },
      encode: (pass, { entry, tokens, prompt }, { f, x, y, patterns, matrix }) => {
        const parts = this.#parts.buffer!;
        routeParts.dispatch(pass, [
          [routeParts.bind({ f, y, parts })],
          prompt,
          [routeParts.bindPatterns(patterns.buffer, entry.layerBytes), patterns.offset],
        ], tokens);
        routeSums.dispatch(pass, [
          [routeSums.bind({ x, y, parts })],
          prompt,
          [routeSums.bindMatrix(matrix.buffer, entry.stride * VEC4), matrix.offset],
        ], tokens);
      },
    };
  }
}
