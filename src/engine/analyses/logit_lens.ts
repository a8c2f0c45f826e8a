import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import type { Run } from "../passes/run.ts";
import { RunAnalysis } from "./analysis.ts";
import type { TopRow } from "./top_row.ts";

/** The k most likely tokens of some positions, after the embedding and after each layer. */
export interface LogitLensQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly k: number;
    /** Ascending; by default all. */
    readonly positions?: readonly number[] | undefined;
    readonly interventions?: readonly Intervention[] | undefined;
  };
  /** (L + 1, positions) */
  readonly result: Answered & { readonly tops: readonly TopRow[] };
}

/** Reads the residual stream before each layer, and after the last, as if the model ended there. */
export class LogitLensAnalysis extends RunAnalysis<LogitLensQuestion> {
  override readonly sharesPass = true;

  protected override async read(
    run: Run,
    { ids, k, positions = ids.map((_, position) => position) }: LogitLensQuestion["argument"],
  ): Promise<Omit<LogitLensQuestion["result"], "cacheHit">> {
    const { architecture, topLogits } = this.context;
    const layers = Array.from({ length: architecture.layers + 1 }, (_, layer) => layer);
    const prompt = run.prompts[0]!;
    return { tops: await topLogits.of(run, { prompt, layers, positions }, k) };
  }
}
