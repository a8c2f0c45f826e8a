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
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Forward } from "../model/forward.ts";
import type { OutputMatrices } from "../model/output_matrices.ts";
import { type PatternEntry, patternsOf } from "../activations/prompt_activations.ts";
import { VEC4 } from "../activations/packed_triangles.ts";
import { streamIndex, streamView } from "../activations/residual_stream.ts";
import { FLOW_METHODS, type Method } from "../../requests/flow_methods.ts";
import { ZeroedRows } from "./value_zeroing.ts";

/** A method whose matrices are measured layer by layer, from what heads write. */
export type Measure = Exclude<Method, "ATTENTION">;

/** A prompt that is measured. Its values are in rows 0 and on of the forward pass's `qkv`. */
export interface MeasuredPrompt {
  readonly entry: PatternEntry;
  readonly tokens: number;
  /** What tells kernels of it. */
  readonly prompt: BoundGroup;
}

/** What one layer is measured from. */
interface LayerOperands {
  readonly layer: number;
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
  return FLOW_METHODS[method].readsStream;
}

/** Measures flow by other methods than attention; their kernels are compiled when they are first asked for. */
export class Measures {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #forward: Forward;
  readonly #outputMatrices: () => Promise<OutputMatrices>;
  readonly #kernels = new Map<Measure, MeasureKernels>();
  readonly #outputs: GrowingTexture;
  readonly #gram: GrowingBuffer;
  readonly #parts: GrowingBuffer;
  #headOutputs: HeadOutputs | undefined;
  #rowShares: RowShares | undefined;
  #routeParts: RouteParts | undefined;
  #matrices: OutputMatrices | undefined;

  /** @param parts The forward pass, and what makes, once, the matrices that heads write with. */
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
   * @returns A buffer for its matrices, (L, T, T) packed as the entry's mean is.
   * @throws {AllocationError} If the device has no room.
   */
  async prepare(method: Measure, measured: MeasuredPrompt): Promise<GPUBuffer> {
    await this.#prepareOutputs(measured);
    this.#rowShares ??= await RowShares.create(this.#device);
    const kernels = this.#kernels.get(method) ?? await this.#compile(method);
    this.#kernels.set(method, kernels);
    await kernels.prepare(measured);
    return await allocate(this.#device, {
      label: `matrices of ${method}`,
      bytes: measured.entry.mean.size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }

  /** Records the measuring of one layer; behind the last of them rows are divided by their sums. */
  encode(
    pass: GPUComputePassEncoder,
    method: Measure,
    { matrix, layer, ...measured }: MeasuredPrompt & {
      readonly matrix: GPUBuffer;
      readonly layer: number;
    },
  ): void {
    const { entry, tokens, prompt } = measured;
    const { layers } = this.#architecture;
    // What looks at no stream has something else of that kind bound.
    const stream = (index: number): GPUTextureView =>
      entry.streams ? streamView(entry.streams, index) : this.#forward.qkv(layer);
    this.#kernels.get(method)!.encode(pass, measured, {
      layer,
      x: stream(streamIndex(layer, "before")),
      y: stream(streamIndex(layer, "middle")),
      patterns: patternsOf(entry, layer),
      matrix: { buffer: matrix, offset: layer * entry.stride * VEC4 },
    });
    if (layer < layers - 1) return;
    this.#rowShares!.dispatch(pass, [[this.#rowShares!.bind({ matrix })], prompt], {
      tokens,
      layers,
    });
  }

  /**
   * Compiles what {@linkcode encodeParts} needs and makes room for it.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async prepareParts(measured: MeasuredPrompt): Promise<void> {
    await this.#prepareOutputs(measured);
    this.#routeParts ??= await RouteParts.create(this.#device, this.#architecture);
    await this.#parts.atLeast(measured.entry.layerBytes);
  }

  /** Records the parts of routes in one layer. @returns (H, T, T), packed, not yet divided by sums of rows. */
  encodeParts(
    pass: GPUComputePassEncoder,
    { entry, tokens, prompt }: MeasuredPrompt,
    layer: number,
  ): GPUBuffer {
    const parts = this.#parts.buffer!;
    const kernel = this.#routeParts!;
    const f = this.#encodeOutputs(pass, { entry, tokens, prompt }, layer);
    const y = streamView(entry.streams!, streamIndex(layer, "middle"));
    const patterns = patternsOf(entry, layer);
    kernel.dispatch(pass, [
      [kernel.bind({ f, y, parts })],
      prompt,
      [
        kernel.bind({ patterns: { buffer: patterns.buffer, size: entry.layerBytes } }),
        patterns.offset,
      ],
    ], { tokens });
    return parts;
  }

  async #prepareOutputs({ tokens }: MeasuredPrompt): Promise<void> {
    this.#headOutputs ??= await HeadOutputs.create(this.#device, this.#architecture);
    this.#matrices ??= await this.#outputMatrices();
    await this.#outputs.atLeast(tokens);
  }

  #encodeOutputs(
    pass: GPUComputePassEncoder,
    { tokens, prompt }: MeasuredPrompt,
    layer: number,
  ): GPUTextureView {
    const f = this.#outputs.texture!.createView({ dimension: "2d-array" });
    const [qkv, w] = [this.#forward.qkv(layer), this.#matrices!.view(layer)];
    const outputs = this.#headOutputs!.bind({ qkv, w, f });
    this.#headOutputs!.dispatch(pass, [[outputs], prompt], { tokens });
    return f;
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
      case "VALUE_ZEROING":
        return await this.#valueZeroing();
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
      encode: (pass, measured, { layer, x, patterns, matrix }) => {
        const { entry, tokens, prompt } = measured;
        const f = this.#encodeOutputs(pass, measured, layer);
        const gram = this.#gram.buffer!;
        headGram.dispatch(pass, [[headGram.bind({ f, x, gram })]], { tokens });
        norms.dispatch(pass, [
          [norms.bind({ gram })],
          prompt,
          [
            norms.bind({ patterns: { buffer: patterns.buffer, size: entry.layerBytes } }),
            patterns.offset,
          ],
          [
            norms.bind({ matrix: { buffer: matrix.buffer, size: entry.stride * VEC4 } }),
            matrix.offset,
          ],
        ], { tokens });
      },
    };
  }

  async #alti(): Promise<MeasureKernels> {
    const alti = await MeasureAlti.create(this.#device, this.#architecture);
    return {
      prepare: () => Promise.resolve(),
      encode: (pass, measured, { layer, x, y, patterns, matrix }) => {
        const { entry, tokens, prompt } = measured;
        const f = this.#encodeOutputs(pass, measured, layer);
        alti.dispatch(pass, [
          [alti.bind({ f, x, y })],
          prompt,
          [
            alti.bind({ patterns: { buffer: patterns.buffer, size: entry.layerBytes } }),
            patterns.offset,
          ],
          [
            alti.bind({ matrix: { buffer: matrix.buffer, size: entry.stride * VEC4 } }),
            matrix.offset,
          ],
        ], { tokens });
      },
    };
  }

  async #valueZeroing(): Promise<MeasureKernels> {
    const zeroedRows = await ZeroedRows.create(this.#device, this.#architecture);
    return {
      prepare: ({ tokens }) => zeroedRows.prepare(tokens),
      encode: (pass, measured, { layer, y, patterns, matrix }) => {
        const { entry, prompt } = measured;
        zeroedRows.encode(pass, {
          entry,
          prompt,
          weights: this.#forward.layerWeights(layer),
          f: this.#encodeOutputs(pass, measured, layer),
          middle: y,
          after: streamView(entry.streams!, streamIndex(layer + 1, "before")),
          patterns,
          matrix,
        });
      },
    };
  }

  async #routes(): Promise<MeasureKernels> {
    const routeSums = await RouteSums.create(this.#device, this.#architecture);
    return {
      prepare: (measured) => this.prepareParts(measured),
      encode: (pass, measured, { layer, x, y, matrix }) => {
        const { entry, tokens, prompt } = measured;
        const parts = this.encodeParts(pass, measured, layer);
        routeSums.dispatch(pass, [
          [routeSums.bind({ x, y, parts })],
          prompt,
          [
            routeSums.bind({ matrix: { buffer: matrix.buffer, size: entry.stride * VEC4 } }),
            matrix.offset,
          ],
        ], { tokens });
      },
    };
  }
}
