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
import { patternsOf, type PromptActivations } from "../activations/prompt_activations.ts";
import { VEC4 } from "../activations/packed_triangles.ts";
import { keptAt, residualSites, type SiteOfLayer } from "../activations/kept_sites.ts";
import { FLOW_METHODS, type Method } from "../../requests/flow_methods.ts";
import { ValueZeroing } from "./value_zeroing.ts";

/** A method whose matrices are measured layer by layer, from what heads write. */
export type Measure = Exclude<Method, "ATTENTION">;

/** A prompt that is to be measured. */
export interface PreparedPrompt {
  readonly activations: PromptActivations;
  readonly tokens: number;
}

/** A prompt that is measured. Its values are in rows 0 and on of the forward pass's `qkv`. */
export interface MeasuredPrompt extends PreparedPrompt {
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
  prepare(measured: PreparedPrompt): Promise<void>;
  /** Records one layer. */
  encode(pass: GPUComputePassEncoder, measured: MeasuredPrompt, operands: LayerOperands): void;
}

/** What a method looks at beside patterns and values: nothing, or the residual stream. */
export function sitesOf(method: Method, layers: number): readonly SiteOfLayer[] {
  return FLOW_METHODS[method].readsStream ? residualSites(layers) : [];
}

/** Measures flow by other methods than attention; their kernels are compiled when they are first asked for. */
export class FlowMethods {
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
   * @returns A buffer for its matrices, (L, T, T) packed as the activations's mean is.
   * @throws {AllocationError} If the device has no room.
   */
  async prepare(method: Measure, measured: PreparedPrompt): Promise<GPUBuffer> {
    await this.#prepareOutputs(measured);
    this.#rowShares ??= await RowShares.create(this.#device);
    const kernels = this.#kernels.get(method) ?? await this.#compile(method);
    this.#kernels.set(method, kernels);
    await kernels.prepare(measured);
    return await allocate(this.#device, {
      label: `matrices of ${method}`,
      bytes: measured.activations.mean.size,
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
    const { activations, tokens, prompt } = measured;
    const { layers } = this.#architecture;
    // What looks at no stream has something else of that kind bound.
    const hasStreams = sitesOf(method, layers).length > 0;
    const stream = (site: SiteOfLayer["site"]): GPUTextureView =>
      hasStreams ? keptAt(activations, { site, layer }).createView() : this.#forward.qkv(layer);
    this.#kernels.get(method)!.encode(pass, measured, {
      layer,
      x: stream("RESID_PRE"),
      y: stream("RESID_MID"),
      patterns: patternsOf(activations, layer),
      matrix: { buffer: matrix, offset: layer * activations.stride * VEC4 },
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
   * @returns Where the parts will be.
   * @throws {AllocationError} If the device has no room.
   */
  async prepareParts(measured: PreparedPrompt): Promise<GPUBuffer> {
    await this.#prepareOutputs(measured);
    this.#routeParts ??= await RouteParts.create(this.#device, this.#architecture);
    return await this.#parts.atLeast(measured.activations.layerBytes);
  }

  /** Records the parts of routes in one layer. @returns (H, T, T), packed, not yet divided by sums of rows. */
  encodeParts(
    pass: GPUComputePassEncoder,
    { activations, tokens, prompt }: MeasuredPrompt,
    layer: number,
  ): GPUBuffer {
    const parts = this.#parts.buffer!;
    const kernel = this.#routeParts!;
    const f = this.#encodeOutputs(pass, { activations, tokens, prompt }, layer);
    const y = keptAt(activations, { site: "RESID_MID", layer }).createView();
    const patterns = patternsOf(activations, layer);
    kernel.dispatch(pass, [
      [kernel.bind({ f, y, parts })],
      prompt,
      [
        kernel.bind({ patterns: { buffer: patterns.buffer, size: activations.layerBytes } }),
        patterns.offset,
      ],
    ], { tokens });
    return parts;
  }

  async #prepareOutputs({ tokens }: PreparedPrompt): Promise<void> {
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
        const { activations, tokens, prompt } = measured;
        const f = this.#encodeOutputs(pass, measured, layer);
        const gram = this.#gram.buffer!;
        headGram.dispatch(pass, [[headGram.bind({ f, x, gram })]], { tokens });
        norms.dispatch(pass, [
          [norms.bind({ gram })],
          prompt,
          [
            norms.bind({ patterns: { buffer: patterns.buffer, size: activations.layerBytes } }),
            patterns.offset,
          ],
          [
            norms.bind({ matrix: { buffer: matrix.buffer, size: activations.stride * VEC4 } }),
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
        const { activations, tokens, prompt } = measured;
        const f = this.#encodeOutputs(pass, measured, layer);
        alti.dispatch(pass, [
          [alti.bind({ f, x, y })],
          prompt,
          [
            alti.bind({ patterns: { buffer: patterns.buffer, size: activations.layerBytes } }),
            patterns.offset,
          ],
          [
            alti.bind({ matrix: { buffer: matrix.buffer, size: activations.stride * VEC4 } }),
            matrix.offset,
          ],
        ], { tokens });
      },
    };
  }

  async #valueZeroing(): Promise<MeasureKernels> {
    const valueZeroing = await ValueZeroing.create(this.#device, this.#architecture);
    return {
      prepare: ({ tokens }) => valueZeroing.prepare(tokens),
      encode: (pass, measured, { layer, y, patterns, matrix }) => {
        const { activations, prompt } = measured;
        valueZeroing.encode(pass, {
          activations,
          prompt,
          weights: this.#forward.layerWeights(layer),
          f: this.#encodeOutputs(pass, measured, layer),
          middle: y,
          after: keptAt(activations, { site: "RESID_POST", layer }).createView(),
          patterns,
          matrix,
        });
      },
    };
  }

  async #routes(): Promise<MeasureKernels> {
    const routeSums = await RouteSums.create(this.#device, this.#architecture);
    return {
      prepare: async (measured) => {
        await this.prepareParts(measured);
      },
      encode: (pass, measured, { layer, x, y, matrix }) => {
        const { activations, tokens, prompt } = measured;
        const parts = this.encodeParts(pass, measured, layer);
        routeSums.dispatch(pass, [
          [routeSums.bind({ x, y, parts })],
          prompt,
          [
            routeSums.bind({ matrix: { buffer: matrix.buffer, size: activations.stride * VEC4 } }),
            matrix.offset,
          ],
        ], { tokens });
      },
    };
  }
}
