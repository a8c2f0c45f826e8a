import { InfoflowError } from "../errors.ts";

/** The most floating-point operations: about a minute's work for a processor of two cores. */
const MOST_OPERATIONS = 1.5e12;

/**
 * Refuses what would take too long, before it starts.
 *
 * @param what What is asked for.
 * @param tokens The tokens of the prompt.
 * @param operations About how many operations it takes for a prompt of that number of tokens.
 * @throws {InfoflowError} MATRIX_TOO_LARGE, with `operations`, `limit`, and the most `tokens` that it can be had for.
 */
export function checkWork(
  what: string,
  tokens: number,
  operations: (tokens: number) => number,
): void {
  const estimate = operations(tokens);
  if (estimate <= MOST_OPERATIONS) return;
  let most = tokens;
  while (most > 1 && operations(most) > MOST_OPERATIONS) most--;
  throw new InfoflowError(
    "MATRIX_TOO_LARGE",
    `Cannot compute ${what} for ${tokens} tokens as it would take about ${
      estimate.toExponential(1)
    } floating-point operations, and the limit is ${
      MOST_OPERATIONS.toExponential(1)
    }: ask with ${most} tokens at most, BOS among them`,
    { operations: estimate, limit: MOST_OPERATIONS, tokens: most },
  );
}
