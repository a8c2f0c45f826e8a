import type { Patch } from "../../../requests/patch.ts";
import type { MetricArgument } from "../../../requests/patching.ts";
import type { Answered } from "../../../requests/questions.ts";
import { Analysis, type AskOptions } from "../analysis.ts";
import { type LastRow, metricOf } from "./metrics.ts";

/** What ablating each head alone does to a metric. */
export interface HeadEffectsQuestion {
  readonly argument: MetricArgument & {
    readonly ids: readonly number[];
    /** Its output becomes zero, or its mean over the positions from `meanFrom` on. */
    readonly action: "ZERO" | "MEAN";
    readonly meanFrom: 0 | 1;
  };
  readonly result: Answered & {
    /** (L, H): the metric with the head ablated, minus that without. */
    readonly effects: Float32Array<ArrayBuffer>;
    /** The metric with no head ablated. */
    readonly baseline: number;
  };
}

/** Ablates each head alone: one run for each head, all in one batch. */
export class HeadEffectsAnalysis extends Analysis<HeadEffectsQuestion> {
  /** @throws As {@linkcode PatchedRuns.run} does. */
  override async ask(
    argument: HeadEffectsQuestion["argument"],
    { isWanted }: Pick<AskOptions, "isWanted">,
  ): Promise<HeadEffectsQuestion["result"]> {
    const { ids, action, meanFrom } = argument;
    const { layers, heads } = this.context.architecture;
    const { metricRuns } = this.context;
    const patched = { layers, heads, ids, first: action === "MEAN" ? meanFrom : 0 };
    const patches = Array.from({ length: layers * heads }, (_, cell): Patch => ({
      cell,
      site: "Z",
      layer: Math.floor(cell / heads),
      head: cell % heads,
      action,
    }));
    const { rows } = await metricRuns.run({ patches, patched }, argument, isWanted);
    const [base, ...others] = rows as [LastRow, ...LastRow[]];
    const metric = metricOf(argument, this.context, base);
    const baseline = metric(base);
    const effects = Float32Array.from(others, (row) => metric(row) - baseline);
    return { effects, baseline, cacheHit: false };
  }
}
