import { type Example, insertExample } from "./example.ts";
import { flowSlots, type HeadSizes, headSlots, type HeadSums } from "./head_sums.ts";
import { countInductionTargets } from "./occurrences.ts";
import { insertSample } from "./sample.ts";
import { REACH } from "./slots.ts";

/** How many bins the histogram of a prompt's largest weight has, from 0 to 1. */
export const BINS = 50;

/** How many of a prompt's largest weights the device finds for each head. */
export const EXAMPLES = 5;

/** Largest weights are summed as whole multiples of it, exactly. */
const WEIGHT_UNIT = 2 ** -24;

/** A prompt that was summed. */
export interface SummedPrompt {
  /** The row of the corpus. */
  readonly row: number;
  /** As the model read them, BOS first. */
  readonly ids: readonly number[];
}

/** A partial result as plain JSON. */
export interface StoredPartial extends HeadSizes {
  readonly top: number;
  readonly prompts: number;
  readonly targets: number;
  readonly inductionTargets: number;
  readonly headvisInductionTargets: number;
  readonly sums: readonly string[];
  readonly flows: readonly string[];
  readonly distances: readonly number[];
  readonly distancesNoBos: readonly number[];
  readonly histograms: readonly (readonly number[])[];
  readonly maxima: readonly number[];
  readonly samples: readonly (readonly (readonly number[])[])[];
  readonly examples: readonly (readonly Example[])[];
  readonly examplesByPrompt: readonly (readonly Example[])[];
}

/**
 * Statistics of a part of a corpus. All sums are of whole numbers, so that adding prompts and merging parts gives the same
 * to the last bit, whatever the order and the split.
 */
export class PartialStatistics {
  readonly sizes: HeadSizes;
  /** How many examples of different prompts are kept for each head. */
  readonly top: number;
  /** (L * H), (BINS): rows of some prompts in each bin of the histogram, none where samples aren't kept. */
  readonly samples: number[][][];
  /** Prompts of at least one target. */
  prompts = 0;
  /** N: positions from 1 on, of all prompts. */
  targets = 0;
  inductionTargets = 0;
  headvisInductionTargets = 0;
  /** (L, H, SLOTS) */
  readonly sums: bigint[];
  /** (L, REACH) */
  readonly flows: bigint[];
  /** (REACH): the targets i that have a source i - d, BOS among them; and without it. */
  readonly distances: number[] = new Array(REACH).fill(0);
  readonly distancesNoBos: number[] = new Array(REACH).fill(0);
  /** (L * H), (BINS): prompts by the largest weight that is not on BOS; and the sum of those weights, in 2^-24. */
  readonly histograms: number[][];
  readonly maxima: number[];
  /** (L * H): the largest weights that are not on BOS; and the largest of the best prompts. */
  readonly examples: Example[][];
  readonly examplesByPrompt: Example[][];

  /** @param keepsSamples Whether some prompts of each bin are kept, for pictures of a head at all its weights. */
  constructor(sizes: HeadSizes, top: number, keepsSamples = false) {
    this.sizes = { layers: sizes.layers, heads: sizes.heads, context: sizes.context };
    this.top = top;
    const count = sizes.layers * sizes.heads;
    this.sums = new Array<bigint>(headSlots(sizes)).fill(0n);
    this.flows = new Array<bigint>(flowSlots(sizes)).fill(0n);
    this.histograms = Array.from({ length: count }, () => new Array<number>(BINS).fill(0));
    this.maxima = new Array<number>(count).fill(0);
    this.samples = keepsSamples
      ? Array.from({ length: count }, () => Array.from({ length: BINS }, () => []))
      : [];
    this.examples = Array.from({ length: count }, () => []);
    this.examplesByPrompt = Array.from({ length: count }, () => []);
  }

  /** Adds what the device made of some prompts. */
  add(prompts: readonly SummedPrompt[], { sums, flows, tops }: HeadSums): void {
    sums.forEach((value, at) => this.sums[at]! += value);
    flows.forEach((value, at) => this.flows[at]! += value);
    const weights = new Float32Array(tops);
    const places = new Uint32Array(tops);
    const heads = this.sizes.layers * this.sizes.heads;
    prompts.forEach(({ row, ids }, n) => {
      this.#count(ids);
      if (ids.length < 2) return;
      for (let head = 0; head < heads; head++) {
        this.#addTops(head, { row, at: (n * heads + head) * EXAMPLES, weights, places });
      }
    });
  }

  #count(ids: readonly number[]): void {
    const T = ids.length;
    if (T < 2) return;
    this.prompts++;
    this.targets += T - 1;
    const { ours, headvis } = countInductionTargets(ids);
    this.inductionTargets += ours;
    this.headvisInductionTargets += headvis;
    for (let d = 0; d < REACH; d++) {
      this.distances[d]! += Math.max(T - Math.max(d, 1), 0);
      this.distancesNoBos[d]! += Math.max(T - 1 - d, 0);
    }
  }

  #addTops(
    head: number,
    { row, at, weights, places }: {
      row: number;
      at: number;
      weights: Float32Array;
      places: Uint32Array;
    },
  ): void {
    for (let rank = 0; rank < EXAMPLES; rank++) {
      const weight = weights[2 * (at + rank)]!;
      if (weight < 0) return;
      const place = places[2 * (at + rank) + 1]!;
      const example = { prompt: row, target: place >>> 16, source: place & 0xffff, weight };
      insertExample(this.examples[head]!, example, EXAMPLES);
      if (rank > 0) continue;
      insertExample(this.examplesByPrompt[head]!, example, this.top);
      const bin = Math.min(BINS - 1, Math.floor(weight * BINS));
      this.histograms[head]![bin]!++;
      insertSample(this.samples[head]?.[bin], row);
      this.maxima[head]! += Math.round(weight / WEIGHT_UNIT);
    }
  }

  /**
   * Adds another part of the same corpus.
   *
   * @throws {RangeError} If it is of a model of other sizes, or has another number of examples.
   */
  merge(other: PartialStatistics): void {
    const [ours, theirs] = [this, other].map(({ sizes, top, samples }) =>
      JSON.stringify({ ...sizes, top, keepsSamples: samples.length > 0 })
    );
    if (ours !== theirs) {
      throw new RangeError(
        `Cannot merge statistics as both must be of ${ours}: current value is ${theirs}`,
      );
    }
    this.prompts += other.prompts;
    this.targets += other.targets;
    this.inductionTargets += other.inductionTargets;
    this.headvisInductionTargets += other.headvisInductionTargets;
    other.sums.forEach((value, at) => this.sums[at]! += value);
    other.flows.forEach((value, at) => this.flows[at]! += value);
    other.distances.forEach((value, at) => this.distances[at]! += value);
    other.distancesNoBos.forEach((value, at) => this.distancesNoBos[at]! += value);
    other.maxima.forEach((value, at) => this.maxima[at]! += value);
    other.histograms.forEach((bins, head) =>
      bins.forEach((value, at) => this.histograms[head]![at]! += value)
    );
    other.samples.forEach((bins, head) =>
      bins.forEach((rows, bin) =>
        rows.forEach((row) => insertSample(this.samples[head]![bin], row))
      )
    );
    other.examples.forEach((list, head) =>
      list.forEach((example) => insertExample(this.examples[head]!, example, EXAMPLES))
    );
    other.examplesByPrompt.forEach((list, head) =>
      list.forEach((example) => insertExample(this.examplesByPrompt[head]!, example, this.top))
    );
  }

  /** The rows of the corpus that examples are of, in their order. */
  get exampleRows(): number[] {
    const all = [...this.examples, ...this.examplesByPrompt].flat();
    return [...new Set(all.map(({ prompt }) => prompt))].sort((a, b) => a - b);
  }

  /** As plain JSON; sums are written out in decimal. */
  toJSON(): StoredPartial {
    const { sizes, sums, flows, ...rest } = this;
    return { ...sizes, ...rest, sums: sums.map(String), flows: flows.map(String) };
  }

  /** From what {@linkcode toJSON} gave. */
  static fromJSON(stored: StoredPartial): PartialStatistics {
    const partial = new PartialStatistics(stored, stored.top, stored.samples.length > 0);
    partial.prompts = stored.prompts;
    partial.targets = stored.targets;
    partial.inductionTargets = stored.inductionTargets;
    partial.headvisInductionTargets = stored.headvisInductionTargets;
    stored.sums.forEach((value, at) => partial.sums[at] = BigInt(value));
    stored.flows.forEach((value, at) => partial.flows[at] = BigInt(value));
    stored.distances.forEach((value, at) => partial.distances[at] = value);
    stored.distancesNoBos.forEach((value, at) => partial.distancesNoBos[at] = value);
    stored.maxima.forEach((value, at) => partial.maxima[at] = value);
    stored.histograms.forEach((bins, head) => partial.histograms[head]!.splice(0, BINS, ...bins));
    stored.samples.forEach((bins, head) =>
      bins.forEach((rows, bin) => partial.samples[head]![bin]!.push(...rows))
    );
    stored.examples.forEach((list, head) => partial.examples[head]!.push(...list));
    stored.examplesByPrompt.forEach((list, head) => partial.examplesByPrompt[head]!.push(...list));
    return partial;
  }
}
