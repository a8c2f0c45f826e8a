import type { Example } from "./example.ts";
import type { PartialStatistics } from "./partial_statistics.ts";
import { fractionBits, momentBits, MOMENTS, REACH, SLOT, SLOTS } from "./slots.ts";

/** Statistics of a head that are one number: the names of their columns, and their descriptions. */
export const STATISTICS: Readonly<Record<string, string>> = {
  bos_mean: "What a target takes from BOS",
  bos_variance: "Variance of what a target takes from BOS",
  previous_token_mean: "What a target takes from the token before it",
  previous_token_variance: "Variance of what a target takes from the token before it",
  self_mean: "What a target takes from itself",
  self_variance: "Variance of what a target takes from itself",
  induction_mean:
    "What a target takes from tokens that followed earlier occurrences of its own (Olsson et al. 2022)",
  induction_variance: "Variance of what a target takes from what followed its earlier occurrences",
  entropy_mean: "Entropy of a target's weights, in nats",
  entropy_variance: "Variance of the entropy",
  distance_mean: "How far back a target looks, in tokens, BOS among its sources",
  distance_variance: "Variance of the distance",
  distance_no_bos: "How far back a target looks, in tokens, of what isn't on BOS",
  max_mean: "A target's largest weight",
  max_variance: "Variance of the largest weight",
  top_is_bos: "Share of targets whose largest weight is on BOS",
  top_is_previous: "Share of targets whose largest weight is on the token before",
  top_is_self: "Share of targets whose largest weight is on themselves",
  top_share_no_bos: "Of what isn't on BOS, the share on one source",
};

/** HeadVis' metrics, by its names and definitions. */
export const HEADVIS_METRICS = [
  "self_attention_score",
  "prev_token_score",
  "pattern_entropy",
  "qk_distance",
  "qk_distance_variance",
  "induction_score",
] as const;

/** Statistics of one head over a corpus; null where no target has any. */
export interface HeadStatistics {
  readonly layer: number;
  readonly head: number;
  /** N, the number of targets, and the number of those with an earlier occurrence. */
  readonly targets: number;
  readonly inductionTargets: number;
  /** By the names in {@linkcode STATISTICS}, and HeadVis' by theirs. */
  readonly values: Readonly<Record<string, number | null>>;
  /** (REACH): the mean of A[i, i-d], BOS among the sources; and without it. */
  readonly byDistance: readonly (number | null)[];
  readonly byDistanceNoBos: readonly (number | null)[];
  /** (REACH): the same of its layer's flow. */
  readonly flowByDistance: readonly (number | null)[];
  /** The largest weights; and the largest of the best prompts. */
  readonly examples: readonly Example[];
  readonly examplesByPrompt: readonly Example[];
}

/** Computes statistics from sums, layer by layer and head by head. */
export function finishStatistics(partial: PartialStatistics): HeadStatistics[] {
  const { layers, heads } = partial.sizes;
  return Array.from({ length: layers * heads }, (_, index) => {
    const layer = Math.floor(index / heads);
    const sums = partial.sums.slice(index * SLOTS, (index + 1) * SLOTS);
    const flows = partial.flows.slice(layer * REACH, (layer + 1) * REACH);
    const { share } = fractionBits(partial.sizes.context);
    const profile = (values: readonly bigint[], counts: readonly number[]): (number | null)[] =>
      values.map((value, d) => meanOf(value, counts[d]!, share));
    const noBos = sums.slice(SLOT.byDistanceNoBos, SLOT.byDistanceNoBos + REACH);
    const all = noBos.map((value, d) => value + sums[SLOT.bosByDistance + d]!);
    return {
      layer,
      head: index % heads,
      targets: partial.targets,
      inductionTargets: partial.inductionTargets,
      values: { ...ownValues(partial, sums), ...headvisValues(partial, sums) },
      byDistance: profile(all, partial.distances),
      byDistanceNoBos: profile(noBos, partial.distancesNoBos),
      flowByDistance: profile(flows, partial.distancesNoBos),
      examples: partial.examples[index]!,
      examplesByPrompt: partial.examplesByPrompt[index]!,
    };
  });
}

type Values = Record<string, number | null>;

function ownValues(partial: PartialStatistics, sums: readonly bigint[]): Values {
  const bits = fractionBits(partial.sizes.context);
  const values: Values = {};
  MOMENTS.forEach((moment, slot) => {
    const count = moment === "induction" ? partial.inductionTargets : partial.targets;
    const places = momentBits(moment, bits);
    values[`${moment}_mean`] = meanOf(sums[slot]!, count, places);
    values[`${moment}_variance`] = varianceOf(
      { sum: sums[slot]!, squares: sums[SLOT.squares + slot]! },
      count,
      places,
    );
  });
  const { targets } = partial;
  const mass = Number(sums[SLOT.massNoBos]!) / 2 ** bits.share;
  const distance = Number(sums[SLOT.distanceNoBos]!) / 2 ** bits.distance;
  return {
    ...values,
    top_is_bos: meanOf(sums[SLOT.topIsBos]!, targets, 0),
    top_is_previous: meanOf(sums[SLOT.topIsPrevious]!, targets, 0),
    top_is_self: meanOf(sums[SLOT.topIsSelf]!, targets, 0),
    top_share_no_bos: mass > 0 ? Number(sums[SLOT.topNoBos]!) / 2 ** bits.share / mass : null,
    distance_no_bos: mass > 0 ? distance / mass : null,
  };
}

/** By HeadVis' definitions: position 0 is a target too, and takes all from itself. */
function headvisValues(partial: PartialStatistics, sums: readonly bigint[]): Values {
  const bits = fractionBits(partial.sizes.context);
  const { prompts, targets, headvisInductionTargets } = partial;
  const positions = targets + prompts;
  const one = BigInt(2 ** bits.share);
  const moment = (name: typeof MOMENTS[number]): bigint => sums[MOMENTS.indexOf(name)]!;
  const distance = meanOf(moment("distance"), positions, bits.distance);
  const squared = meanOf(sums[SLOT.distanceSquared]!, positions, bits.squared);
  return {
    self_attention_score: meanOf(moment("self") + BigInt(prompts) * one, positions, bits.share),
    prev_token_score: meanOf(moment("previous_token"), targets, bits.share),
    pattern_entropy: meanOf(moment("entropy"), positions, bits.entropy),
    qk_distance: distance,
    qk_distance_variance: distance === null || squared === null ? null : squared - distance ** 2,
    induction_score: meanOf(sums[SLOT.headvisInduction]!, headvisInductionTargets, bits.share),
  };
}

function meanOf(sum: bigint, count: number, bits: number): number | null {
  return count > 0 ? Number(sum) / 2 ** bits / count : null;
}

/** (squares - sum^2 / n) / n; the difference is taken of whole numbers, where nothing is lost. */
function varianceOf(
  { sum, squares }: { sum: bigint; squares: bigint },
  count: number,
  bits: number,
): number | null {
  if (count === 0) return null;
  return Number(squares * BigInt(count) - sum * sum) / 4 ** bits / count / count;
}
