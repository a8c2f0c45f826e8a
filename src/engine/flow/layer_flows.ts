import { BindGroups } from "../gpu/bind_groups.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import { indexGroup } from "../gpu/index_uniform.ts";
import { ChosenMean } from "../kernels/chosen_mean.ts";
import { type Aggregate, AGGREGATES, Flow } from "../kernels/flow.ts";
import { FlowCells } from "../kernels/flow_cells.ts";
import { Rollout } from "../kernels/rollout.ts";
import { type Chosen, chosenOf, isNarrowed } from "../../requests/choice.ts";
import type { Head, Heads } from "../../requests/flow_options.ts";
import { type FlowOptions, keptFrom, spanOf } from "../../requests/flow_options.ts";
import type { Reduction, ReductionStep, ResultRange } from "./reduction_step.ts";
import { type IndexList, shareOut } from "./triangle_offsets.ts";
import { flowShape } from "../../requests/matrix_shape.ts";

interface Kernels {
  readonly flow: Flow;
  /** For matrices in which positions share cells. */
  readonly flowCells: FlowCells;
  readonly chosenMean: ChosenMean;
  /** Compiled at its first use. */
  rollout?: Rollout;
  /** The same for matrices that already include the residual stream. */
  product?: Rollout;
}

/**
 * Flows of layers, from the mean over heads that is cached with the patterns. If layers or heads are chosen, the mean
 * over these is computed instead.
 */
export class LayerFlows {
  readonly #device: GPUDevice;
  readonly #model: Heads;
  readonly #kernels: Kernels;
  readonly #indices: IndexList;
  readonly #products: GrowingBuffer;
  readonly #chosenMean: GrowingBuffer;
  readonly #groups = {
    flow: new BindGroups(),
    cells: new BindGroups(),
    rollout: new BindGroups(),
    chosenMean: new BindGroups(),
  };

  private constructor(
    device: GPUDevice,
    model: Heads,
    indices: IndexList,
    kernels: Kernels,
  ) {
    this.#device = device;
    this.#model = model;
    this.#kernels = kernels;
    this.#indices = indices;
    this.#products = new GrowingBuffer(device, "rollout");
    this.#chosenMean = new GrowingBuffer(device, "mean over chosen heads");
  }

  /** Compiles the kernels that every flow needs. */
  static async create(
    device: GPUDevice,
    model: Heads,
    indices: IndexList,
  ): Promise<LayerFlows> {
    return new LayerFlows(device, model, indices, {
      flow: await Flow.create(device),
      flowCells: await FlowCells.create(device),
      chosenMean: await ChosenMean.create(device),
    });
  }

  /**
   * Allocates scratch memory and compiles missing kernels.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async reserve(reductions: readonly Reduction<FlowOptions>[]): Promise<void> {
    const largest = async (scratch: GrowingBuffer, some: typeof reductions): Promise<void> => {
      const bytes = Math.max(0, ...some.map(({ activations }) => activations.mean.size));
      if (bytes > 0) await scratch.atLeast(bytes);
    };
    const rollouts = reductions.filter(({ options }) => isRollout(options));
    await largest(this.#products, rollouts);
    for (const { measured } of rollouts) {
      const addsResidual = measured === undefined;
      const name = addsResidual ? "rollout" : "product";
      this.#kernels[name] ??= await Rollout.create(this.#device, { addsResidual });
    }
    await largest(this.#chosenMean, reductions.filter(({ options }) => hasOwnMean(options)));
  }

  /** The steps of one flow, for which {@linkcode reserve} was called. */
  steps(reduction: Reduction<FlowOptions>, into: ResultRange): ReductionStep[] {
    const mean = reduction.measured ?? reduction.activations.mean;
    if (!hasOwnMean(reduction.options)) return [this.#flow(reduction, mean, into)];
    return [...this.#means(reduction), this.#flow(reduction, this.#chosenMean.buffer!, into)];
  }

  #means({ activations, options, measured }: Reduction<FlowOptions>): ReductionStep[] {
    const kernel = this.#kernels.chosenMean;
    const mean = this.#chosenMean.buffer!;
    const { layers } = this.#model;
    const { stride } = activations;
    // The matrices of a method are like the patterns of a model with one head, in one slab.
    const [slabs, model] = measured
      ? [[{ buffer: measured, firstLayer: 0, layers }], { layers, heads: 1 }]
      : [activations.slabs, this.#model];
    const chosen = chosenOf(options, model);
    return meansOf(chosen, options.leftOut ?? []).flatMap(({ before, ...some }) =>
      shareOut({ slabs, stride }, some, model.heads).map((share): ReductionStep => {
        const patterns = share.slab.buffer;
        const indices = this.#indices.buffer;
        const group = this.#groups.chosenMean.of(
          [patterns, mean],
          () => kernel.bind({ patterns, indices, mean }),
        );
        return {
          fields: {
            heads: some.heads.length,
            triangles: this.#indices.add(share.triangles),
            result: (before + share.before) * stride,
          },
          encode: (pass, prompt) =>
            kernel.dispatch(pass, [[group], prompt], { stride, layers: share.layers }),
        };
      })
    );
  }

  #flow(
    { tokens, options, measured }: Reduction<FlowOptions>,
    mean: GPUBuffer,
    { results, result }: ResultRange,
  ): ReductionStep {
    const { flow, flowCells } = this.#kernels;
    const layers = chosenOf(options, this.#model).layers.length;
    const { shape } = flowShape(options, { ...this.#model, tokens });
    const [cells, matrices] = [shape.at(-1)!, shape.length === 3 ? layers : 1];
    const span = spanOf(options, tokens);
    const fields = {
      kept: keptFrom(options),
      aggregate: AGGREGATES[aggregateOf(options)],
      layers,
      result,
      span,
      dropped: result + matrices * cells ** 2,
    };
    const reduce = (pass: GPUComputePassEncoder, group: GPUBindGroup, prompt: BoundGroup): void => {
      if (span > 1) flowCells.dispatch(pass, [[group], prompt], { cells, matrices });
      else flow.dispatch(pass, [[group], prompt], { targets: cells, matrices });
    };
    const bind = (matrix: GPUBuffer): GPUBindGroup =>
      (span > 1 ? flowCells : flow).bind({ matrix, mean, flows: results });
    const groups = span > 1 ? this.#groups.cells : this.#groups.flow;
    if (!isRollout(options)) {
      const group = groups.of([mean, mean, results], () => bind(mean));
      return { fields, encode: (pass, prompt) => reduce(pass, group, prompt) };
    }
    const rollout = (measured ? this.#kernels.product : this.#kernels.rollout)!;
    const products = this.#products.buffer!;
    const rolled = this.#groups.rollout.of(
      [mean, products],
      () => rollout.bind({ mean, rollout: products }),
    );
    const group = groups.of([products, mean, results], () => bind(products));
    return {
      fields,
      encode: (pass, prompt) => {
        for (let layer = 0; layer < layers; layer++) {
          const groups = [[rolled], prompt, indexGroup(this.#device, layer)] as const;
          rollout.dispatch(pass, groups, { tokens });
        }
        reduce(pass, group, prompt);
      },
    };
  }
}

function isRollout({ aggregation }: FlowOptions): boolean {
  return aggregation === "ROLLOUT";
}

function aggregateOf({ byLayer, aggregation }: FlowOptions): Aggregate {
  if (byLayer) return "layers";
  const aggregates = { MEAN: "mean", NOTEBOOK: "notebook", ROLLOUT: "last" } as const;
  return aggregates[aggregation];
}

/** Whether a flow needs another mean over heads than the cached one. */
function hasOwnMean(options: FlowOptions): boolean {
  return isNarrowed(options) || options.leftOut !== undefined;
}

/** The means over heads to compute: one for all chosen layers, or one for each layer if heads are left out. */
function meansOf(
  { layers, heads }: Chosen,
  leftOut: readonly Head[],
): (Chosen & { readonly before: number })[] {
  if (leftOut.length === 0) return [{ layers, heads, before: 0 }];
  return layers.map((layer, before) => {
    const others = heads.filter((head) =>
      !leftOut.some((it) => it.layer === layer && it.head === head)
    );
    return { layers: [layer], heads: others.length > 0 ? others : heads, before };
  });
}
