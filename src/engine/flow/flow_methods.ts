import type { Architecture } from "../../requests/architecture/architecture.ts";
import { FLOW_METHODS, type Method } from "../../requests/flow_methods.ts";
import { keptAt, residualSites, type SiteOfLayer } from "../activations/kept_sites.ts";
import { VEC4 } from "../activations/packed_triangles.ts";
import { patternsOf } from "../activations/prompt_activations.ts";
import { allocate } from "../gpu/allocate.ts";
import { RowShares } from "../kernels/row_shares.ts";
import type { Forward } from "../model/forward.ts";
import type { OutputMatrices } from "../model/output_matrices.ts";
import { HeadWrites } from "./head_writes.ts";
import type { MeasuredPrompt, PreparedPrompt } from "./measured_prompt.ts";
import type { MethodKernels, MethodTools } from "./methods/method_kernels.ts";
import { type Measure, METHOD_KERNELS } from "./methods/methods.ts";
import { RouteShares } from "./route_shares.ts";

/** The sites that a method reads beside patterns and values: none, or the residual stream. */
export function sitesOf(method: Method, layers: number): readonly SiteOfLayer[] {
  return FLOW_METHODS[method].readsStream ? residualSites(layers) : [];
}

/** Measures flow by the methods other than attention, whose kernels are compiled at their first use. */
export class FlowMethods {
  /** The shares of routes: how much nearer heads and sources bring a target to its value after attention. */
  readonly routeShares: RouteShares;
  readonly #tools: MethodTools;
  readonly #kernels = new Map<Measure, MethodKernels>();
  #rowShares: RowShares | undefined;

  /** @param parts The forward pass, and the function that makes the heads' output matrices. */
  constructor(
    device: GPUDevice,
    architecture: Architecture,
    { forward, outputMatrices }: {
      readonly forward: Forward;
      readonly outputMatrices: () => Promise<OutputMatrices>;
    },
  ) {
    const writes = new HeadWrites(device, architecture, { forward, outputMatrices });
    const routeShares = this.routeShares = new RouteShares(device, architecture, writes);
    this.#tools = { device, architecture, forward, writes, routeShares };
  }

  /**
   * Compiles a method's kernels and allocates its memory.
   *
   * @returns A buffer for its matrices, (L, T, T) packed as the means over heads are.
   * @throws {AllocationError} If the device has no room.
   */
  async prepare(method: Measure, measured: PreparedPrompt): Promise<GPUBuffer> {
    const { device, writes } = this.#tools;
    await writes.prepare(measured.tokens);
    this.#rowShares ??= await RowShares.create(device);
    const kernels = this.#kernels.get(method) ?? await METHOD_KERNELS[method](this.#tools);
    this.#kernels.set(method, kernels);
    await kernels.prepare(measured);
    return await allocate(device, {
      label: `matrices of ${method}`,
      bytes: measured.activations.mean.size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }

  /** Records the measure of one layer; after the last layer, rows are divided by their sums. */
  encode(
    pass: GPUComputePassEncoder,
    method: Measure,
    { matrix, layer, ...measured }: MeasuredPrompt & {
      readonly matrix: GPUBuffer;
      readonly layer: number;
    },
  ): void {
    const { activations, tokens, prompt } = measured;
    const { architecture: { layers }, forward } = this.#tools;
    // A method that reads no stream gets another texture bound in its place.
    const hasStreams = sitesOf(method, layers).length > 0;
    const stream = (site: SiteOfLayer["site"]): GPUTextureView =>
      hasStreams ? keptAt(activations, { site, layer }).createView() : forward.qkv(layer);
    const patterns = patternsOf(activations, layer);
    this.#kernels.get(method)!.encode(pass, measured, {
      layer,
      x: stream("RESID_PRE"),
      y: stream("RESID_MID"),
      patterns: {
        bound: { buffer: patterns.buffer, size: activations.layerBytes },
        offset: patterns.offset,
      },
      matrix: {
        bound: { buffer: matrix, size: activations.stride * VEC4 },
        offset: layer * activations.stride * VEC4,
      },
    });
    if (layer < layers - 1) return;
    const shares = this.#rowShares!;
    shares.dispatch(pass, [[shares.bind({ matrix })], prompt], { tokens, layers });
  }
}
