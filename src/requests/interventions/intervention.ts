import type { Site } from "./sites.ts";

/** What can be done at a site, see docs/interventions.md. */
const ACTIONS = ["ZERO", "MEAN", "SCALE", "ADD", "REPLACE", "BLOCK"] as const;

/** One of {@linkcode ACTIONS}. */
export type Action = typeof ACTIONS[number];

/** The most interventions of one run. */
export const MOST_INTERVENTIONS = 64;

/** A feature of an autoencoder, and how much of it. */
export interface FeatureInput {
  readonly sae: string;
  readonly index: number;
  /** ADD: this often its decoder row is added. REPLACE: what its activation becomes. */
  readonly amount?: number | null | undefined;
}

/** A change to a run, as it is asked for. What is left out or null means all, or the default. */
export interface InterventionInput {
  readonly site: Site;
  readonly layer: number;
  readonly heads?: readonly number[] | null | undefined;
  /** Targets, of SCORES and PATTERN. 0 is the first token; negative ones count from the end. */
  readonly positions?: readonly number[] | null | undefined;
  /** For SCORES and PATTERN only. */
  readonly sources?: readonly number[] | null | undefined;
  readonly action: Action;
  /** For SCALE only. */
  readonly factor?: number | null | undefined;
  /** Of ADD: C numbers, or at a head's site D for every head, or D for each of `heads` in their order. */
  readonly vector?: readonly number[] | null | undefined;
  /** Of REPLACE: the ids of the prompt whose values are put here. */
  readonly fromIds?: readonly number[] | null | undefined;
  /** Of REPLACE: which position of that prompt goes to each of `positions`. */
  readonly fromPositions?: readonly number[] | null | undefined;
  /** ADD along its decoder row; at its autoencoder's site REPLACE, ZERO or SCALE of its activation. */
  readonly feature?: FeatureInput | null | undefined;
  /** Of MEAN and ADD: whether BOS is counted and overwritten where no positions are named. False by default. */
  readonly withBos?: boolean | null | undefined;
}

/**
 * A change to a run in its canonical form: everything exists and is counted from 0, lists are in ascending order, each
 * member once, and what is left out means all. A list of these is in the order in which they apply: by layer, then by
 * site in the order of the computation, then as they were asked for; what comes later sees what came before.
 */
export interface Intervention {
  readonly site: Site;
  readonly layer: number;
  readonly heads?: readonly number[];
  /** Targets, of SCORES and PATTERN. */
  readonly positions?: readonly number[];
  /** For SCORES and PATTERN only. */
  readonly sources?: readonly number[];
  readonly action: Action;
  /** Of SCALE: a float32, and not 1. */
  readonly factor?: number;
  /** Of ADD: float32s, (C), or (heads, D), one row for each of `heads` or of all, ascending. Not all are 0. */
  readonly vector?: readonly number[];
  /** Of REPLACE: the ids of the donor, whose plain run the values come from. */
  readonly from?: readonly number[];
  /** Of REPLACE: the donor's position for each of `positions`, or for each position; the same positions without it. */
  readonly fromPositions?: readonly number[];
  /** Of ADD, REPLACE and SCALE: along its decoder row, or its activation; a REPLACE has no donor then. */
  readonly feature?: { readonly sae: string; readonly index: number; readonly amount: number };
  /** Of MEAN: the mean of the plain run is taken over the positions from here on. */
  readonly meanFrom?: 0 | 1;
}

/** One text for equal lists of interventions and for no others; empty where nothing is changed. */
export function interventionsKey(interventions: readonly Intervention[]): string {
  return interventions.length === 0 ? "" : JSON.stringify(interventions);
}
