import { keptAt } from "../activations/kept_sites.ts";
import type { Run, RunPrompt } from "../passes/run.ts";
import type { DeviceContext } from "../flow/device_context.ts";
import type { TopRow } from "./top_row.ts";
import { type StreamRows, Unembedding } from "./unembedding.ts";

/** Positions of the residual stream before some layers. */
export interface StreamPositions {
  readonly prompt: RunPrompt;
  readonly layers: readonly number[];
  /** Of each of these layers, ascending. */
  readonly positions: readonly number[];
}

/** Finds the most likely tokens after positions of the residual stream. */
export class TopLogits {
  readonly #context: DeviceContext;
  #unembedding: Unembedding | undefined;

  constructor(context: DeviceContext) {
    this.#context = context;
  }

  /** The k most likely tokens of each layer and position. */
  async of(
    run: Run,
    { prompt: { activations }, layers, positions }: StreamPositions,
    k: number,
  ): Promise<TopRow[]> {
    const unembedding = await this.#prepared();
    const runs = consecutive(positions);
    const sources = layers.flatMap((layer) => {
      const texture = keptAt(activations, { site: "RESID_PRE", layer });
      return runs.map((rows) => ({ texture, ...rows }));
    });
    const result = await unembedding.top(run, sources, k);
    return unembedding.read(await run.read({ result: [result] }), k);
  }

  /** The log-sum-exps of all logits, for rows of the residual stream after the last layer. */
  async totals(run: Run, rows: StreamRows): Promise<number[]> {
    const unembedding = await this.#prepared();
    const result = await unembedding.top(run, [rows], 1);
    return unembedding.read(await run.read({ result: [result] }), 1).map(({ total }) => total);
  }

  /** Uploads the table once; it stays as long as the engine. */
  async #prepared(): Promise<Unembedding> {
    if (this.#unembedding) return this.#unembedding;
    const { device, architecture, weights } = this.#context;
    this.#context.makeRoom(4 * architecture.vocabulary * architecture.channels);
    this.#unembedding = await Unembedding.create(device, architecture, weights);
    this.#context.reserve(this.#unembedding.bytes);
    return this.#unembedding;
  }
}

/** Ascending positions as runs of neighbours. */
function consecutive(positions: readonly number[]): { row: number; rows: number }[] {
  const runs: { row: number; rows: number }[] = [];
  for (const position of positions) {
    const last = runs.at(-1);
    if (last && last.row + last.rows === position) last.rows++;
    else runs.push({ row: position, rows: 1 });
  }
  return runs;
}
