import { FeatureRowsFile } from "./feature_rows.ts";
import { PairTable } from "./pair_table.ts";
import { PlaceSketches } from "./place_sketches.ts";
import type { Together } from "./together.ts";

/** More features than that have no table of all pairs: it would take more than 64 MiB. */
const MOST_IN_TABLE = 4096;

/** The counts of all features, made before the first feature's dashboard. */
export interface FeatureCounts {
  /** (F) each: places that a feature is on at; the sum of its activations, and the largest. */
  readonly counts: Float64Array<ArrayBuffer>;
  readonly sums: Float64Array<ArrayBuffer>;
  readonly largest: Float32Array<ArrayBuffer>;
  readonly together: Together;
}

/**
 * Counts the activations of a run.
 *
 * @param paths Files of activations, in the order of their prompts: no place has activations in two of them.
 * @param longest Tokens of the longest prompt.
 */
export async function countFeatures(
  paths: readonly string[],
  { features, longest }: { readonly features: number; readonly longest: number },
): Promise<FeatureCounts> {
  const counts = new Float64Array(features);
  const sums = new Float64Array(features);
  const largest = new Float32Array(features);
  const together = togetherOf(features, longest);
  for (const path of paths) {
    const rows = await (await FeatureRowsFile.open(path)).all();
    rows.features.forEach((feature, n) => {
      const activation = rows.activations[n]!;
      counts[feature]!++;
      sums[feature]! += activation;
      if (activation > largest[feature]!) largest[feature] = activation;
    });
    together.add(rows);
  }
  return { counts, sums, largest, together };
}

/**
 * A table of pairs, which is exact, or sketches of each feature's places where there are too many pairs.
 *
 * @param longest Tokens of the longest prompt.
 */
function togetherOf(features: number, longest: number): Together {
  return features <= MOST_IN_TABLE ? new PairTable(features) : new PlaceSketches(features, longest);
}
