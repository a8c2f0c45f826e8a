import type { FeatureExample } from "./features_table.ts";

/** Bars of a histogram. */
export const BINS = 50;
/** Groups of examples by how large they are, of as many equal parts of (0, max]. */
export const GROUPS = 5;

/** How many examples a feature has. */
export interface TallyOptions {
  /** The largest. */
  readonly top: number;
  /** Of each group. */
  readonly eachGroup: number;
  /** Whether a prompt gives one of the largest at most. */
  readonly onePerPrompt: boolean;
}

type Example = Omit<FeatureExample, "group">;

/** Counts one feature's activations and chooses its examples. All that is kept is bounded, whatever the number of places. */
export class FeatureTally {
  readonly histogram: number[] = new Array(BINS).fill(0);
  readonly #feature: number;
  readonly #largest: number;
  readonly #options: TallyOptions;
  readonly #top: Example[] = [];
  readonly #groups: { readonly hash: number; readonly example: Example }[][] = Array.from(
    { length: GROUPS },
    () => [],
  );
  #prompt = -1;
  #positions: number[] = [];
  #activations: number[] = [];

  /** @param largest The largest of all activations to come. */
  constructor(feature: number, largest: number, options: TallyOptions) {
    this.#feature = feature;
    this.#largest = largest;
    this.#options = options;
  }

  /** Counts an activation. Those of a prompt come one after the other, by position. */
  add(prompt: number, position: number, activation: number): void {
    if (prompt !== this.#prompt) this.#endPrompt();
    this.#prompt = prompt;
    this.#positions.push(position);
    this.#activations.push(activation);
  }

  /** The largest, larger first, of equal ones the earlier prompt, then the earlier position; then those drawn of each group. */
  examples(): FeatureExample[] {
    this.#endPrompt();
    const drawn = this.#groups.flatMap((examples, group) =>
      examples.map(({ example }) => ({ ...example, group }))
    );
    return [
      ...this.#top.map((example) => ({ ...example, group: null })),
      ...drawn.sort((a, b) => b.group - a.group),
    ];
  }

  /** Each place of a prompt that is chosen has all of the prompt's. */
  #endPrompt(): void {
    const prompt = this.#prompt;
    const positions = this.#positions;
    const activations = this.#activations;
    let isChosen = false;
    positions.forEach((position, n) => {
      const activation = activations[n]!;
      this.histogram[binOf(activation, this.#largest)]!++;
      const example = { prompt, position, activation, positions, activations };
      if (this.#isAmongLargest(example)) isChosen = true;
      if (this.#isDrawn(example)) isChosen = true;
    });
    if (isChosen) [this.#positions, this.#activations] = [[], []];
    else positions.length = activations.length = 0;
  }

  #isAmongLargest(example: Example): boolean {
    const top = this.#top;
    const { top: most, onePerPrompt } = this.#options;
    if (top.length === most && !comesBefore(example, top.at(-1)!)) return false;
    if (onePerPrompt) {
      const same = top.findIndex(({ prompt }) => prompt === example.prompt);
      if (same >= 0 && !comesBefore(example, top[same]!)) return false;
      if (same >= 0) top.splice(same, 1);
    }
    let at = top.length;
    while (at > 0 && comesBefore(example, top[at - 1]!)) at--;
    top.splice(at, 0, example);
    if (top.length > most) top.pop();
    return true;
  }

  /** Whether an example is drawn: decided by a hash of its place, so that the order of places doesn't matter. */
  #isDrawn(example: Example): boolean {
    const { eachGroup } = this.#options;
    const share = example.activation / this.#largest;
    const group = Math.min(GROUPS - 1, Math.ceil(share * GROUPS) - 1);
    const drawn = this.#groups[group]!;
    const hash = hashOf(this.#feature, example.prompt, example.position);
    if (drawn.length === eachGroup && drawn.at(-1)!.hash <= hash) return false;
    let at = drawn.length;
    while (at > 0 && drawn[at - 1]!.hash > hash) at--;
    drawn.splice(at, 0, { hash, example });
    if (drawn.length > eachGroup) drawn.pop();
    return true;
  }
}

/** The bar of a histogram over (0, largest]: bar b has what is above b / 50 of it and no more than (b + 1) / 50. */
export function binOf(activation: number, largest: number): number {
  return Math.max(0, Math.min(BINS - 1, Math.ceil(activation / largest * BINS) - 1));
}

function comesBefore(a: Example, b: Example): boolean {
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
