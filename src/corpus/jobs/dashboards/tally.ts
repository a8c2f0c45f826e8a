/** A place where a feature is on. */
export interface Place {
  /** The row of the corpus. */
  readonly prompt: number;
  readonly position: number;
  readonly activation: number;
}

/** Bars of a histogram. */
export const BINS = 50;
/** Groups of examples by how large they are, of as many equal parts of (0, max]. */
export const GROUPS = 5;

/** What is counted of every feature in one go through a run's activations. */
export class FeatureTally {
  readonly counts: Float64Array<ArrayBuffer>;
  readonly sums: Float64Array<ArrayBuffer>;
  readonly largest: Float32Array<ArrayBuffer>;
  readonly #top: Place[][];
  readonly #most: number;
  readonly #onePerPrompt: boolean;

  /** @param options How many examples there are of a feature, and whether a prompt gives one at most. */
  constructor(
    features: number,
    { top, onePerPrompt }: { readonly top: number; readonly onePerPrompt: boolean },
  ) {
    this.counts = new Float64Array(features);
    this.sums = new Float64Array(features);
    this.largest = new Float32Array(features);
    this.#top = Array.from({ length: features }, () => []);
    this.#most = top;
    this.#onePerPrompt = onePerPrompt;
  }

  /** Counts an activation; they may come in any order. */
  add(feature: number, place: Place): void {
    const { activation } = place;
    this.counts[feature]!++;
    this.sums[feature]! += activation;
    if (activation > this.largest[feature]!) this.largest[feature] = activation;
    const top = this.#top[feature]!;
    const last = top.at(-1);
    if (top.length === this.#most && last && comesBefore(last, place)) return;
    if (this.#onePerPrompt) {
      const same = top.findIndex(({ prompt }) => prompt === place.prompt);
      if (same >= 0 && comesBefore(top[same]!, place)) return;
      if (same >= 0) top.splice(same, 1);
    }
    let at = top.length;
    while (at > 0 && comesBefore(place, top[at - 1]!)) at--;
    top.splice(at, 0, place);
    if (top.length > this.#most) top.pop();
  }

  /** A feature's largest activations: larger first, of equal ones the earlier prompt, then the earlier position. */
  top(feature: number): readonly Place[] {
    return this.#top[feature]!;
  }
}

/** A few places of each group of a feature's activations, drawn by a hash: the same whatever the order. */
export class GroupSamples {
  readonly #largest: Float32Array;
  readonly #each: number;
  readonly #drawn: { readonly hash: number; readonly place: Place }[][];

  /** @param each How many of a group. */
  constructor(largest: Float32Array, each: number) {
    this.#largest = largest;
    this.#each = each;
    this.#drawn = Array.from({ length: largest.length * GROUPS }, () => []);
  }

  /** Draws a place, or not. */
  add(feature: number, place: Place): void {
    const share = place.activation / this.#largest[feature]!;
    const group = Math.min(GROUPS - 1, Math.ceil(share * GROUPS) - 1);
    const drawn = this.#drawn[feature * GROUPS + group]!;
    const hash = hashOf(feature, place.prompt, place.position);
    if (drawn.length === this.#each && drawn.at(-1)!.hash <= hash) return;
    let at = drawn.length;
    while (at > 0 && drawn[at - 1]!.hash > hash) at--;
    drawn.splice(at, 0, { hash, place });
    if (drawn.length > this.#each) drawn.pop();
  }

  /** What was drawn of a group, the largest group last. */
  of(feature: number, group: number): readonly Place[] {
    return this.#drawn[feature * GROUPS + group]!.map(({ place }) => place);
  }
}

/** The bar of a histogram over (0, largest]: bar b has what is above b / 50 of it and no more than (b + 1) / 50. */
export function binOf(activation: number, largest: number): number {
  return Math.max(0, Math.min(BINS - 1, Math.ceil(activation / largest * BINS) - 1));
}

function comesBefore(a: Place, b: Place): boolean {
  return a.activation > b.activation ||
    a.activation === b.activation &&
      (a.prompt < b.prompt || a.prompt === b.prompt && a.position < b.position);
}

/** A hash that stands for a random number (the mixing steps of MurmurHash3). */
function hashOf(...words: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const word of words) {
    hash = Math.imul(hash ^ word, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}
