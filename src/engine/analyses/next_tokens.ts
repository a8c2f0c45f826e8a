import type { Head } from "../../requests/flow_options.ts";
import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";
import type { Run } from "../passes/run.ts";
import { RunAnalysis } from "./analysis.ts";
import { likeliest } from "./likeliest.ts";
import { logitsOf } from "./logits.ts";
import type { TopRow } from "./top_row.ts";

/** The k most likely next tokens after a position, by default the last, and further tokens. */
export interface NextTokensQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly k: number;
    readonly position?: number | undefined;
    readonly tokens?: readonly number[] | undefined;
    readonly ablate?: readonly Head[] | undefined;
    readonly interventions?: readonly Intervention[] | undefined;
  };
  readonly result: Answered & {
    readonly top: TopRow;
    /** Of each of `tokens`. */
    readonly logits: readonly number[];
  };
}

/** Finds the most likely next tokens. */
export class NextTokensAnalysis extends RunAnalysis<NextTokensQuestion> {
  override readonly sharesPass = true;

  /** The stream after the last layer. */
  override keepFor(): readonly SiteOfLayer[] {
    return [{ site: "RESID_PRE", layer: this.context.architecture.layers }];
  }

  protected override async read(
    run: Run,
    { k, position, tokens = [] }: NextTokensQuestion["argument"],
  ): Promise<Omit<NextTokensQuestion["result"], "cacheHit">> {
    const prompt = run.prompts[0]!;
    const top = await likeliest(this.context, run, { prompt, k, position });
    if (tokens.length === 0) return { top, logits: [] };
    return { top, logits: await logitsOf(this.context, run, { prompt, tokens, position }) };
  }
}
