import type { SaeFitFound } from "./feature_questions.ts";
import type { SaeReport } from "./sae_config.ts";

/** L0 is far off beyond this many times the reported one, and below a part of it as small. */
const TIMES = 3;
/** The CE score is far off below this share of the reported one. */
const SHARE = 0.5;
/** Nats that zeros must cost for the CE score to say anything: it is divided by them. */
const LEAST_COST = 1;
/** Tokens from which on L0 is compared: beginnings are unlike the rest of a text. */
const LEAST_TOKENS = 9;

/** How much of what zeros cost an autoencoder saves: (zeros - autoencoder) / (zeros - model) of the losses. */
export function ceScoreOf({ ce, ceWithSae, ceWithZeros }: SaeFitFound): number {
  return (ceWithZeros - ceWithSae) / (ceWithZeros - ce);
}

/** Whether zeros in the activation's place cost enough on a prompt for the CE score to mean something. */
export function hasCeScore({ ce, ceWithZeros }: Pick<SaeFitFound, "ce" | "ceWithZeros">): boolean {
  return ceWithZeros - ce >= LEAST_COST;
}

/**
 * In what a fit is so far from what its makers report that a prompt alone does not explain it: in words, none where it is
 * not. The bundled two, on ten prompts from English to code and numbers: L0 1.0 to 1.9 times the reported one, CE scores
 * that count 0.75 to 1 of it. A wrong conversion of the reference has 3.2 times the L0 and an explained variance of -0.57.
 */
export function farOff(
  { l0, explainedVariance, ceScore, ...losses }: SaeFitFound & { readonly ceScore: number },
  report: SaeReport,
  tokens: number,
): string[] {
  const reasons: string[] = [];
  if (explainedVariance < 0) {
    reasons.push(
      `its reconstruction is worse than none (explained variance ${explainedVariance.toFixed(2)})`,
    );
  }
  if (report.l0 !== undefined && tokens >= LEAST_TOKENS) {
    if (l0 > TIMES * report.l0 || l0 < report.l0 / TIMES) {
      reasons.push(
        `${l0.toFixed(1)} features are on at a position, and ${report.l0.toFixed(1)} are reported`,
      );
    }
  }
  if (
    report.ceScore !== undefined && hasCeScore(losses) && ceScore < SHARE * report.ceScore
  ) {
    reasons.push(
      `it saves ${ceScore.toFixed(2)} of the loss that zeros cost, and ${
        report.ceScore.toFixed(2)
      } are reported`,
    );
  }
  return reasons;
}
