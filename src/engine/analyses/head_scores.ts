import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import { scoreCells } from "../../requests/score_cells.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";
import { patternsOf } from "../activations/prompt_activations.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { indexGroup } from "../gpu/index_uniform.ts";
import { makeUniform } from "../gpu/uniform.ts";
import { CellSums, LISTS } from "../kernels/cell_sums.ts";
import type { Run } from "../passes/run.ts";
import { type AnalysisContext, RunAnalysis } from "./analysis.ts";

/** The sums over cells of every head's pattern, from which scores are made. */
export interface HeadScoresQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    /** Whether the first token is BOS. */
    readonly hasBos: boolean;
    readonly interventions?: readonly Intervention[] | undefined;
  };
  /** (L, H, 3): the sums over each list of `scoreCells`. */
  readonly result: Answered & { readonly sums: Float32Array };
}

/** Sums cells of every head's pattern. */
export class HeadScoresAnalysis extends RunAnalysis<HeadScoresQuestion> {
  override readonly sharesPass = true;
  readonly #cells: GrowingBuffer;
  readonly #sums: GrowingBuffer;
  readonly #ends: GPUBuffer;

  constructor(context: AnalysisContext) {
    super(context);
    const { device } = context;
    this.#cells = new GrowingBuffer(device, "cells");
    this.#sums = new GrowingBuffer(device, "sums of cells");
    this.#ends = makeUniform(device, "lists of cells", new Uint32Array(4));
  }

  /** None: only patterns are read. */
  override keepFor(): readonly SiteOfLayer[] {
    return [];
  }

  protected override async read(
    run: Run,
    { ids, hasBos }: HeadScoresQuestion["argument"],
  ): Promise<Omit<HeadScoresQuestion["result"], "cacheHit">> {
    const lists = scoreCells(ids, hasBos);
    const { device, architecture: { layers, heads } } = this.context;
    const [prompt] = run.prompts;
    const { activations } = prompt!;
    const kernel = await CellSums.create(device);
    let end = 0;
    const ends = lists.map((list) => end += list.length / 2);
    const words = new Uint32Array(2 * end);
    lists.forEach((list, index) => words.set(list, 2 * (ends[index - 1] ?? 0)));
    const cells = await this.#cells.atLeast(words.byteLength);
    const bytes = layers * heads * LISTS * Float32Array.BYTES_PER_ELEMENT;
    const sums = await this.#sums.atLeast(bytes);
    device.queue.writeBuffer(cells, 0, words);
    device.queue.writeBuffer(this.#ends, 0, new Uint32Array([...ends, 0]));
    const operands = kernel.bind({ lists: this.#ends, cells, sums });
    const numbers = await run.read({
      fields: [{ prompt: prompt! }],
      result: [{ buffer: sums, bytes }],
      encode: (recorder, [bound]) => {
        for (let layer = 0; layer < layers; layer++) {
          const { buffer, offset } = patternsOf(activations, layer);
          const patterns = kernel.bind({ patterns: { buffer, size: activations.layerBytes } });
          const index = indexGroup(device, layer);
          const groups = [[operands], bound!, [patterns, offset], index] as const;
          kernel.dispatch(recorder.pass, groups, { heads });
        }
      },
    });
    return { sums: numbers };
  }
}
