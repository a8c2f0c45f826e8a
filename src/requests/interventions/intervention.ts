import type { Site } from "./sites.ts";

/** The actions at a site, see docs/interventions.md. */
const ACTIONS = ["ZERO", "MEAN", "SCALE", "ADD", "REPLACE", "BLOCK"] as const;

/** One of {@linkcode ACTIONS}. */
export type Action = typeof ACTIONS[number];

/** The most interventions of one run. */
export const MOST_INTERVENTIONS = 64;

/** A feature of an autoencoder, and how much of it. */
export interface FeatureInput {
  readonly sae: string;
  readonly index: number;
  /** For ADD, the factor of its decoder row; for REPLACE, its new activation. */
  readonly amount?: number | null | undefined;
}

/** A change to a run, as in a request. What is left out or null means all, or the default. */
export interface InterventionInput {
  readonly site: Site;
  readonly layer: number;
  readonly heads?: readonly number[] | null | undefined;
  /** Positions; for SCORES and PATTERN, targets. 0 is the first token; negative ones count from the end. */
  readonly positions?: readonly number[] | null | undefined;
  /** For SCORES and PATTERN only. */
  readonly sources?: readonly number[] | null | undefined;
  readonly action: Action;
  /** For SCALE only. */
  readonly factor?: number | null | undefined;
  /** For ADD: C numbers, or at a head's site D for every head, or D for each of `heads` in their order. */
  readonly vector?: readonly number[] | null | undefined;
  /** For REPLACE: the ids of the prompt that values are taken from. */
  readonly fromIds?: readonly number[] | null | undefined;
  /** For REPLACE: the position of that prompt for each of `positions`. */
  readonly fromPositions?: readonly number[] | null | undefined;
  /** ADD along its decoder row; at its autoencoder's site REPLACE, ZERO or SCALE of its activation. */
  readonly feature?: FeatureInput | null | undefined;
  /** For MEAN and ADD without positions: whether BOS is counted and changed. False by default. */
  readonly withBos?: boolean | null | undefined;
}

/**
 * A change to a run in its canonical form: everything exists and is counted from 0, lists are in ascending order, each
 * member once, and what is left out means all. A list of these is in the order in which they apply: by layer, then by
 * site in the order of the computation, then in the order of the request.
 */
export interface Intervention {
  readonly site: Site;
  readonly layer: number;
  readonly heads?: readonly number[];
  /** Positions; for SCORES and PATTERN, targets. */
  readonly positions?: readonly number[];
  /** For SCORES and PATTERN only. */
  readonly sources?: readonly number[];
  readonly action: Action;
  /** For SCALE: a float32, and not 1. */
  readonly factor?: number;
  /** For ADD: float32s, (C), or (heads, D), one row for each of `heads` or of all, ascending. Not all are 0. */
  readonly vector?: readonly number[];
  /** For REPLACE: the ids of the donor. */
  readonly from?: readonly number[];
  /** For REPLACE: the donor's position for each of `positions`, or for each position; by default the same. */
  readonly fromPositions?: readonly number[];
  /** For ADD, REPLACE and SCALE of a feature; a REPLACE then has no donor. */
  readonly feature?: { readonly sae: string; readonly index: number; readonly amount: number };
  /** For MEAN: the first position of the mean. */
  readonly meanFrom?: 0 | 1;
}

/** A key that only equal lists of interventions share; empty for none. */
export function interventionsKey(interventions: readonly Intervention[]): string {
  return interventions.length === 0 ? "" : JSON.stringify(interventions);
}
