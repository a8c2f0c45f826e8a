import type { Patch, PatchedRun } from "../../../requests/patch.ts";
import type { MetricArgument } from "../../../requests/patching.ts";
import type { DeviceContext } from "../../flow/device_context.ts";
import type { TopLogits } from "../top_logits.ts";
import { type LastRow, needsTotals } from "./metrics.ts";
import { PatchedRuns } from "./patched_runs.ts";

/** Patches, and the run that each of them changes. */
export interface PatchesOfRun {
  readonly patches: readonly Patch[];
  readonly patched: PatchedRun;
}

/** The last position of each run, and the cost of the patches. */
export interface MetricRows {
  /** The donor's, if there is one, the base run's, then each patched run's. */
  readonly rows: readonly LastRow[];
  /** The rows of layers that were computed. */
  readonly rowLayers: number;
}

/** Runs a prompt with one patch at a time and reads what a metric needs of each run. */
export class MetricRuns {
  readonly #context: DeviceContext;
  readonly #topLogits: TopLogits;
  #runs: PatchedRuns | undefined;

  constructor(context: DeviceContext, topLogits: TopLogits) {
    this.#context = context;
    this.#topLogits = topLogits;
  }

  /** @throws As {@linkcode PatchedRuns.run} does. */
  async run(
    patches: PatchesOfRun,
    { metric, limit }: Pick<MetricArgument, "metric" | "limit">,
    isWanted: () => boolean,
  ): Promise<MetricRows> {
    const { passes, architecture: { channels } } = this.#context;
    const runs = this.#runs ??= await PatchedRuns.create(this.#context);
    const last = await passes.run([], { isWanted }, (run) =>
      runs.run(run, patches, {
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
