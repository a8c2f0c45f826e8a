import type { Place } from "./tally.ts";

/** More features than that have no table of pairs: it would take 64 MiB and more. */
const MOST_FEATURES = 4096;
const MOST = 10;

/** Features that are on at the same positions, counted pair by pair. */
export class Together {
  readonly #features: number;
  readonly #pairs: Uint32Array<ArrayBuffer> | undefined;
  #on: number[] = [];
  #place = "";

  constructor(features: number) {
    this.#features = features;
    if (features <= MOST_FEATURES) this.#pairs = new Uint32Array(features * features);
  }

  /** Counts an activation; those of a position come one after the other. */
  add(feature: number, { prompt, position }: Place): void {
    if (!this.#pairs) return;
    const place = `${prompt}/${position}`;
    if (place !== this.#place) {
      this.#place = place;
      this.#on = [];
    }
    for (const other of this.#on) {
      this.#pairs[feature * this.#features + other]!++;
      this.#pairs[other * this.#features + feature]!++;
    }
    this.#on.push(feature);
  }

  /** The features that share most positions with one: both on, in parts of either on. */
  of(
    feature: number,
    counts: Float64Array,
  ): readonly { readonly feature: number; readonly jaccard: number }[] | null {
    const pairs = this.#pairs;
    if (!pairs) return null;
    const first = feature * this.#features;
    const own = counts[feature]!;
    return Array.from({ length: this.#features }, (_, other) => {
      const both = pairs[first + other]!;
      return { feature: other, jaccard: both === 0 ? 0 : both / (own + counts[other]! - both) };
    })
      .filter(({ jaccard }) => jaccard > 0)
      .sort((a, b) => b.jaccard - a.jaccard || a.feature - b.feature)
      .slice(0, MOST);
  }
}
