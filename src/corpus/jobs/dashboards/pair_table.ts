import type { FeatureRows } from "./feature_rows.ts";
import { type JointFeature, mostTogether, type Together } from "./together.ts";

/** More than any position, and any feature: one number of prompt, position and feature sorts by these, in this order. */
const POSITIONS = 2 ** 16;
const FEATURES = 2 ** 12;

/** Features that are on at the same places, counted pair by pair. */
export class PairTable implements Together {
  readonly sample = undefined;
  readonly #features: number;
  readonly #pairs: Uint32Array<ArrayBuffer>;

  /** @param features 4,096 at most. */
  constructor(features: number) {
    this.#features = features;
    this.#pairs = new Uint32Array(features * features);
  }

  add({ prompts, positions, features }: FeatureRows): void {
    const base = prompts.reduce((least, prompt) => Math.min(least, prompt), Infinity);
    const rows = Float64Array.from(
      features,
      (feature, n) => ((prompts[n]! - base) * POSITIONS + positions[n]!) * FEATURES + feature,
    ).sort();
    let first = 0;
    let place = -1;
    for (let n = 0; n < rows.length; n++) {
      const own = Math.floor(rows[n]! / FEATURES);
      if (own !== place) [place, first] = [own, n];
      const feature = rows[n]! - own * FEATURES;
      for (let m = first; m < n; m++) {
        const other = rows[m]! - own * FEATURES;
        this.#pairs[feature * this.#features + other]!++;
        this.#pairs[other * this.#features + feature]!++;
      }
    }
  }

  of(feature: number, counts: Float64Array): readonly JointFeature[] {
    const first = feature * this.#features;
    const found: JointFeature[] = [];
    for (let other = 0; other < this.#features; other++) {
      const both = this.#pairs[first + other]!;
      if (both === 0) continue;
      found.push({ feature: other, jaccard: both / (counts[feature]! + counts[other]! - both) });
    }
    return mostTogether(found);
  }
}
