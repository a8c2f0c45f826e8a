import { BindGroups } from "../gpu/bind_groups.ts";
import { HeadCells } from "../kernels/head_cells.ts";
import { chosenOf } from "../../requests/choice.ts";
import type { Heads } from "../../requests/flow_options.ts";
import { type AttentionOptions, keptFrom, spanOf } from "../../requests/flow_options.ts";
import type { Reduction, ReductionStep, ResultRange } from "./reduction_step.ts";
import { type IndexList, shareOut } from "./triangle_offsets.ts";
import { flowShape } from "../../requests/matrix_shape.ts";

/** The patterns of chosen heads, each by itself, unchanged or pooled to cells. */
export class HeadFlows {
  readonly #model: Heads;
  readonly #kernel: HeadCells;
  readonly #indices: IndexList;
  readonly #groups = new BindGroups();

  private constructor(model: Heads, indices: IndexList, kernel: HeadCells) {
    this.#model = model;
    this.#indices = indices;
    this.#kernel = kernel;
  }

  /** Compiles the kernel. */
  static async create(device: GPUDevice, model: Heads, indices: IndexList): Promise<HeadFlows> {
    return new HeadFlows(model, indices, await HeadCells.create(device));
  }

  /** The steps of one request, one for each slab that has chosen heads. */
  steps(
    { activations, tokens, options }: Reduction<AttentionOptions>,
    { results, result }: ResultRange,
  ): ReductionStep[] {
    const kernel = this.#kernel;
    const chosen = chosenOf(options, this.#model);
    const heads = chosen.heads.length;
    const [rows, cells] = flowShape(options, { ...this.#model, tokens }).shape.slice(-2) as [
      number,
      number,
    ];
    const shares = shareOut(activations, chosen, this.#model.heads);
    const common = {
      kept: keptFrom(options),
      span: spanOf(options, tokens),
      cells,
      targets: options.targets ? this.#indices.add(options.targets) + 1 : 0,
    };
    const dropped = result + chosen.layers.length * heads * rows * cells;
    return shares.map((share) => {
      const patterns = share.slab.buffer;
      const indices = this.#indices.buffer;
      const group = this.#groups.of(
        [patterns, results],
        () => kernel.bind({ patterns, indices, flows: results }),
      );
      return {
        fields: {
          ...common,
          triangles: this.#indices.add(share.triangles),
          result: result + share.before * heads * rows * cells,
          dropped: dropped + share.before * heads * rows,
        },
        encode: (pass, prompt) =>
          kernel.dispatch(pass, [[group], prompt], { targets: rows, heads: share.layers * heads }),
      };
    });
  }
}
