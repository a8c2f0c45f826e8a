import type { Head } from "../../requests/flow_options.ts";
import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import type { RunRequest } from "../passes/passes.ts";
import type { Run } from "../passes/run.ts";
import { RunAnalysis } from "./analysis.ts";
import { likeliest } from "./likeliest.ts";
import { logitsOf } from "./logits.ts";

/** How a token's log-probability changes. */
export interface LogProbabilityChange {
  readonly id: number;
  /** In the unchanged model. */
  readonly before: number;
  /** With the interventions. */
  readonly after: number;
}

/** The k most likely tokens with and without interventions, and the change of each log-probability. */
export interface TokenChangesQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly k: number;
    readonly ablate?: readonly Head[] | undefined;
    readonly interventions?: readonly Intervention[] | undefined;
  };
  readonly result: Answered & { readonly changes: readonly LogProbabilityChange[] };
}

/** Compares the most likely next tokens of a changed run with those of the unchanged one. */
export class TokenChangesAnalysis extends RunAnalysis<TokenChangesQuestion> {
  protected override prompts(argument: TokenChangesQuestion["argument"]): readonly RunRequest[] {
    const [changed] = super.prompts(argument) as [RunRequest];
    const { ids, interventions = [] } = changed;
    return interventions.length > 0 ? [changed, { ids }] : [changed];
  }

  protected override async read(
    run: Run,
    { k }: TokenChangesQuestion["argument"],
  ): Promise<Omit<TokenChangesQuestion["result"], "cacheHit">> {
    const changed = run.prompts[0]!;
    const plain = run.prompts[1] ?? changed;
    const after = await likeliest(this.context, run, { prompt: changed, k });
    const before = await likeliest(this.context, run, { prompt: plain, k });
    const tokens = [...new Set([...before.ids, ...after.ids])];
    const logitsAfter = await logitsOf(this.context, run, { prompt: changed, tokens });
    const logitsBefore = await logitsOf(this.context, run, { prompt: plain, tokens });
    const changes = tokens.map((id, at) => ({
      id,
      before: logitsBefore[at]! - before.total,
      after: logitsAfter[at]! - after.total,
    }));
    return { changes };
  }
}
