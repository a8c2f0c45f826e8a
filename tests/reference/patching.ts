/** Activation patching in float64: every cell is a whole run. */
import { canonicalInterventions } from "../../src/requests/interventions/canonical_interventions.ts";
import type { Intervention } from "../../src/requests/interventions/intervention.ts";
import type { Site } from "../../src/requests/interventions/sites.ts";
import { gridAxes, PATCH_METRICS, type PatchGrid } from "../../src/requests/patching.ts";
import type { HostModel } from "../support/read_model.ts";
import { changedRun, plainRun } from "./interventions.ts";
import { logits, logProbabilities } from "./predictions.ts";

/** What metrics are read with. */
export interface Measured {
  readonly clean: readonly number[];
  readonly answer: number;
  readonly against: number;
}

/** Log-probabilities of what comes next, of plain runs. */
const cleanLogs = new WeakMap<ReturnType<typeof plainRun>, Float64Array>();

/** The four metrics of a run, in the order of PATCH_METRICS. */
export function metricsOf(
  model: HostModel,
  { clean, answer, against }: Measured,
  { ids, interventions = [] }: { ids: readonly number[]; interventions?: readonly Intervention[] },
): number[] {
  const { channels: C } = model.architecture;
  const lastLogits = (run: ReturnType<typeof changedRun>): Float64Array =>
    logits(model.architecture, model.weights, run.at(-1)!.RESID_POST.slice(-C));
  const run = interventions.length > 0
    ? changedRun(model, ids, interventions)
    : plainRun(model, ids);
  const last = lastLogits(run);
  const q = logProbabilities(last);
  const first = plainRun(model, clean);
  const p = cleanLogs.get(first) ?? logProbabilities(lastLogits(first));
  cleanLogs.set(first, p);
  return [
    last[answer]! - last[against]!,
    q[answer]!,
    Math.exp(q[answer]!),
    p.reduce((sum, log, t) => sum + Math.exp(log) * (log - q[t]!), 0),
  ];
}

/** A grid of patches. */
export interface GridOptions extends Measured {
  readonly base: readonly number[];
  readonly donor: readonly number[];
  readonly site: Site;
  readonly by: PatchGrid;
}

/** (metrics, ...axes of the grid), row-major. */
export function patchGrid(model: HostModel, options: GridOptions): Float64Array {
  const { layers, heads } = model.architecture;
  const sizes = { layer: layers, head: heads, position: options.base.length };
  const axes = gridAxes(options.by);
  const shape = axes.map((axis) => sizes[axis]);
  const count = shape.reduce((a, b) => a * b);
  const grid = new Float64Array(PATCH_METRICS.length * count);
  for (let cell = 0; cell < count; cell++) {
    const index = { layer: 0, head: undefined, position: undefined } as Record<
      "layer" | "head" | "position",
      number | undefined
    >;
    let rest = cell;
    for (let axis = axes.length - 1; axis >= 0; axis--) {
      index[axes[axis]!] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    const patch = {
      site: options.site,
      layer: index.layer!,
      heads: index.head === undefined ? undefined : [index.head],
      positions: index.position === undefined ? undefined : [index.position],
      action: "REPLACE",
      fromIds: options.donor,
    } as const;
    const run = { architecture: model.architecture, ids: options.base, beginsWithBos: true };
    const interventions = canonicalInterventions([patch], run);
    metricsOf(model, options, { ids: options.base, interventions })
      .forEach((value, metric) => grid[metric * count + cell] = value);
  }
  return grid;
}
