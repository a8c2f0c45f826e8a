import { InfoflowError } from "../../errors.ts";
import type { PatchMetric } from "../../requests/patching.ts";
import type { MetricArgument } from "../../requests/patching.ts";
import type { Reading } from "./reading.ts";
import { tokenId, type TokenName } from "./token_id.ts";

/** In seconds: patching that would take longer is refused, as is what would exceed its request's deadline. */
const LIMIT = 60;

/** The options of a metric in a request. */
export interface MetricOptions {
  /** The token that is right. */
  readonly answer: TokenName;
  /** The one that is wrong, of LOGIT_DIFF. */
  readonly against?: TokenName | null | undefined;
  readonly metric: PatchMetric;
}

/**
 * The metric for the engine.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if a token is not valid, both are the same, or LOGIT_DIFF has no second one.
 */
export function metricArgument(
  reading: Reading,
  { answer: right, against: wrong, metric }: MetricOptions,
): MetricArgument {
  const answer = tokenId(reading, "answer", right);
  const against = wrong === null || wrong === undefined
    ? undefined
    : tokenId(reading, "against", wrong);
  if (against === answer) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot measure an answer against itself as answer and against must be two tokens: current value is ${answer}`,
      { answer, against },
    );
  }
  if (metric === "LOGIT_DIFF" && against === undefined) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      "Cannot measure LOGIT_DIFF as it needs the token that the answer is measured against: give against, or ask for " +
        "LOG_PROB, PROB or KL",
    );
  }
  const limit = Math.min(LIMIT, reading.model.engine.seconds);
  return { metric, answer, against: against ?? answer, limit };
}
