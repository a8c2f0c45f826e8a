import { firstDifference } from "../../../requests/interventions/donor.ts";
import { type Patch, type PatchedRun, patchesOf } from "../../../requests/patch.ts";
import { gridSize } from "../../../requests/patching.ts";
import type { Questions } from "../../../requests/questions.ts";
import type { DeviceContext } from "../../flow/device_context.ts";
import type { TopLogits } from "../top_logits.ts";
import { type LastRow, metricOf, type MetricOptions, needsTotals } from "./metrics.ts";
import { PatchedRuns } from "./patched_runs.ts";

type Argument<Name extends "patching" | "headEffects"> = Questions[Name]["argument"];
type Result<Name extends "patching" | "headEffects"> = Omit<Questions[Name]["result"], "cacheHit">;

/** Answers what runs with one patch each come to. */
export class Patching {
  readonly #context: DeviceContext;
  readonly #topLogits: TopLogits;
  #runs: PatchedRuns | undefined;

  constructor(context: DeviceContext, topLogits: TopLogits) {
    this.#context = context;
    this.#topLogits = topLogits;
  }

  /**
   * The metric of every run of a grid.
   *
   * @throws As {@linkcode PatchedRuns.run} does.
   */
  async grid(argument: Argument<"patching">, isWanted: () => boolean): Promise<Result<"patching">> {
    const { ids: clean, corrupted, direction, site, by } = argument;
    const { layers, heads } = this.#context.architecture;
    const isDenoising = direction === "DENOISE";
    const [ids, from] = isDenoising ? [corrupted, clean] : [clean, corrupted];
    const patched = { layers, heads, ids, from, first: firstDifference(clean, corrupted) };
    const patches = patchesOf({ site, by, layers: argument.layers }, patched);
    const { rows, rowLayers } = await this.#lastRows({ patches, patched }, argument, isWanted);
    const [donor, base, ...others] = rows as [LastRow, LastRow, ...LastRow[]];
    const metric = metricOf(argument, this.#context, isDenoising ? donor : base);
    const [ofDonor, ofBase] = [metric(donor), metric(base)];
    const size = { layers: argument.layers?.length ?? layers, heads, positions: ids.length };
    const values = new Float32Array(gridSize(by, size)).fill(ofBase);
    patches.forEach(({ cell }, run) => values[cell] = metric(others[run]!));
    return isDenoising
      ? { values, clean: ofDonor, corrupted: ofBase, rowLayers }
      : { values, clean: ofBase, corrupted: ofDonor, rowLayers };
  }

  /**
   * What ablating each head alone does to a metric.
   *
   * @throws As {@linkcode PatchedRuns.run} does.
   */
  async headEffects(
    argument: Argument<"headEffects">,
    isWanted: () => boolean,
  ): Promise<Result<"headEffects">> {
    const { ids, action, meanFrom } = argument;
    const { layers, heads } = this.#context.architecture;
    const patched = { layers, heads, ids, first: action === "MEAN" ? meanFrom : 0 };
    const patches = Array.from({ length: layers * heads }, (_, cell): Patch => ({
      cell,
      site: "Z",
      layer: Math.floor(cell / heads),
      head: cell % heads,
      action,
    }));
    const { rows } = await this.#lastRows({ patches, patched }, argument, isWanted);
    const [base, ...others] = rows as [LastRow, ...LastRow[]];
    const metric = metricOf(argument, this.#context, base);
    const baseline = metric(base);
    return { effects: Float32Array.from(others, (row) => metric(row) - baseline), baseline };
  }

  async #lastRows(
    work: { readonly patches: readonly Patch[]; readonly patched: PatchedRun },
    { metric, limit }: Pick<MetricOptions, "metric"> & { readonly limit: number },
    isWanted: () => boolean,
  ): Promise<{ readonly rows: readonly LastRow[]; readonly rowLayers: number }> {
    const { passes, architecture: { channels } } = this.#context;
    const runs = this.#runs ??= await PatchedRuns.create(this.#context);
    const last = await passes.run([], { isWanted }, (run) =>
      runs.run(run, work, {
        limit,
        ...(needsTotals(metric) && {
          totals: (run, texture, rows) => this.#topLogits.totals(run, { texture, row: 0, rows }),
        }),
      }));
    const { streams, totals, rowLayers } = last;
    const rows = Array.from({ length: streams.length / channels }, (_, run) => ({
      stream: streams.subarray(run * channels, (run + 1) * channels),
      total: totals[run],
    }));
    return { rows, rowLayers };
  }
}
