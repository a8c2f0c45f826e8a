import type { FeatureRows } from "./feature_rows.ts";

/** The most joint features of a feature. */
const MOST_TOGETHER = 10;

/** A feature that is on where another is. */
export interface JointFeature {
  readonly feature: number;
  /** The Jaccard index: places where both are on, divided by places where either is. */
  readonly jaccard: number;
}

/** Finds the features that are on at the same places. */
export interface Together {
  /** Takes activations in any order; those of one place must come in one call. */
  add(rows: FeatureRows): void;
  /**
   * The features that share most places with one, of equal ones the lower first.
   *
   * @param counts Of each feature, how many places it is on at.
   */
  of(feature: number, counts: Float64Array): readonly JointFeature[];
  /** How many places of each feature are compared; undefined where all are. */
  readonly sample: number | undefined;
}

/** The features with the largest Jaccard indices, of equal ones the lower first. */
export function mostTogether(found: JointFeature[]): JointFeature[] {
  return found.sort((a, b) => b.jaccard - a.jaccard || a.feature - b.feature)
    .slice(0, MOST_TOGETHER);
}
