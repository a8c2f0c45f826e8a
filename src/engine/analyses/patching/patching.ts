import { firstDifference } from "../../../requests/interventions/donor.ts";
import { type GridOptions, patchesOf } from "../../../requests/patch.ts";
import { gridSize, type MetricArgument, type PatchDirection } from "../../../requests/patching.ts";
import type { Answered } from "../../../requests/questions.ts";
import { Analysis, type AskOptions } from "../analysis.ts";
import { type LastRow, metricOf } from "./metrics.ts";

/** The metric of each cell's run, in which one activation is replaced by that of the other prompt. */
export interface PatchingQuestion {
  readonly argument: MetricArgument & GridOptions & {
    /** The clean prompt; the corrupted one has as many tokens. */
    readonly ids: readonly number[];
    readonly corrupted: readonly number[];
    readonly direction: PatchDirection;
  };
  readonly result: Answered & {
    /** Of each cell, row-major. */
    readonly values: Float32Array<ArrayBuffer>;
    /** The metrics of the unpatched prompts. */
    readonly clean: number;
    readonly corrupted: number;
    /** The rows of layers that were computed for the runs. */
    readonly rowLayers: number;
  };
}

/** Activation patching: the metric of every run of a grid. */
export class PatchingAnalysis extends Analysis<PatchingQuestion> {
  /** @throws As {@linkcode PatchedRuns.run} does. */
  override async ask(
    argument: PatchingQuestion["argument"],
    { isWanted }: Pick<AskOptions, "isWanted">,
  ): Promise<PatchingQuestion["result"]> {
    const { ids: clean, corrupted, direction, site, by } = argument;
    const { layers, heads } = this.context.architecture;
    const { metricRuns } = this.context;
    const isDenoising = direction === "DENOISE";
    const [ids, from] = isDenoising ? [corrupted, clean] : [clean, corrupted];
    const patched = { layers, heads, ids, from, first: firstDifference(clean, corrupted) };
    const patches = patchesOf({ site, by, layers: argument.layers }, patched);
    const { rows, rowLayers } = await metricRuns.run({ patches, patched }, argument, isWanted);
    const [donor, base, ...others] = rows as [LastRow, LastRow, ...LastRow[]];
    const metric = metricOf(argument, this.context, isDenoising ? donor : base);
    const [ofDonor, ofBase] = [metric(donor), metric(base)];
    const size = { layers: argument.layers?.length ?? layers, heads, positions: ids.length };
    const values = new Float32Array(gridSize(by, size)).fill(ofBase);
    patches.forEach(({ cell }, run) => values[cell] = metric(others[run]!));
    return isDenoising
      ? { values, clean: ofDonor, corrupted: ofBase, rowLayers, cacheHit: false }
      : { values, clean: ofBase, corrupted: ofDonor, rowLayers, cacheHit: false };
  }
}
