import { askGraphQL } from "./graphql.ts";

/** How much a head does of known jobs. */
export interface HeadScore {
  readonly layer: number;
  readonly head: number;
  readonly previousToken: number;
  readonly bos: number;
  /** Not there where no token comes twice. */
  readonly induction: number | null;
}

const QUERY = `query Scores($prompt: String!, $model: String) {
  headScores(prompt: $prompt, model: $model) { heads { layer head previousToken bos induction } }
}`;

/**
 * Asks what heads do on a prompt.
 *
 * @param question The prompt and the model's name, as JSON: `{ prompt, model }`.
 * @throws {Failure} If there is no answer.
 */
export async function askScores(
  question: string,
  signal: AbortSignal,
): Promise<readonly HeadScore[]> {
  type Data = { headScores: { heads: HeadScore[] } };
  return (await askGraphQL<Data>(QUERY, JSON.parse(question), signal)).headScores.heads;
}
