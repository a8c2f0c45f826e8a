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

const QUERY = `query Scores($prompt: String!) {
  headScores(prompt: $prompt) { heads { layer head previousToken bos induction } }
}`;

/**
 * Asks what heads do on a prompt.
 *
 * @throws {Failure} If there is no answer.
 */
export async function askScores(
  prompt: string,
  signal: AbortSignal,
): Promise<readonly HeadScore[]> {
  type Data = { headScores: { heads: HeadScore[] } };
  return (await askGraphQL<Data>(QUERY, { prompt }, signal)).headScores.heads;
}
