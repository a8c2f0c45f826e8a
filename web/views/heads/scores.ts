import type { Question } from "../../server/answers.ts";
import { askGraphQL } from "../../server/graphql.ts";

/** How much a head does of known jobs. */
export interface HeadScore {
  readonly layer: number;
  readonly head: number;
  readonly previousToken: number;
  readonly bos: number;
  /** Not there where no token comes twice. */
  readonly induction: number | null;
}

const QUERY = `query Scores($prompt: String!, $model: String, $bos: BosPolicy) {
  headScores(prompt: $prompt, model: $model, bos: $bos) { heads { layer head previousToken bos induction } }
}`;

/** Asks what heads do on a prompt. */
export function scoresOf(
  prompt: string,
  model: string | undefined,
  bos: "NONE" | undefined,
): Question<readonly HeadScore[]> {
  return {
    key: `scores ${JSON.stringify([prompt, model, bos])}`,
    fetch: async (signal) => {
      type Data = { headScores: { heads: HeadScore[] } };
      return (await askGraphQL<Data>(QUERY, { prompt, model, bos }, signal)).headScores.heads;
    },
  };
}
