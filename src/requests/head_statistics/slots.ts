/** The sums of every head over a corpus. They are whole numbers, so that adding them is exact in any order. */

/** Statistics that are a mean and a variance over targets. */
export const MOMENTS = [
  "previous_token",
  "bos",
  "self",
  "entropy",
  "distance",
  "max",
  "induction",
] as const;

/** The name of a statistic that is a mean and a variance. */
export type Moment = typeof MOMENTS[number];

/** Distances from target to source that profiles have: 0 to 31. */
export const REACH = 32;

/**
 * Where the sums of a head are, in the order of `shaders/head_statistics.wgsl`: those of {@linkcode MOMENTS}, those of
 * their squares, then these.
 */
export const SLOT = {
  squares: MOMENTS.length,
  topIsBos: 14,
  topIsPrevious: 15,
  topIsSelf: 16,
  massNoBos: 17,
  distanceNoBos: 18,
  topNoBos: 19,
  distanceSquared: 20,
  headvisInduction: 21,
  byDistanceNoBos: 22,
  bosByDistance: 22 + REACH,
} as const;

/** The number of sums of a head. */
export const SLOTS = SLOT.bosByDistance + REACH;

/** Numbers that are summed by one call lie below 2^24, their squares below 2^48: 2^15 of those fit into 63 bits. */
export const MOST_TARGETS = 2 ** 15;

/** The most prompts that are summed by one call. */
export const MOST_PROMPTS = 256;

/** The binary places of sums. */
export interface FractionBits {
  /** Weights, and other numbers from 0 to 1. */
  readonly share: number;
  /** Entropies, in nats. */
  readonly entropy: number;
  /** Distances, in tokens. */
  readonly distance: number;
  /** Squares of distances. */
  readonly squared: number;
}

/**
 * The places of each kind of number, as many as fit: below 2^24 for what is squared, below 2^32 for what isn't.
 *
 * @param context The most tokens of a prompt.
 */
export function fractionBits(context: number): FractionBits {
  const bits = Math.ceil(Math.log2(context));
  return {
    share: 24,
    entropy: 24 - Math.max(0, Math.ceil(Math.log2(Math.log(Math.max(2, context))))),
    distance: 24 - bits,
    squared: Math.max(0, 32 - 2 * bits),
  };
}

/** The places of one of {@linkcode MOMENTS}. */
export function momentBits(moment: Moment, bits: FractionBits): number {
  if (moment === "entropy") return bits.entropy;
  return moment === "distance" ? bits.distance : bits.share;
}
