import type { FeatureRows } from "./feature_rows.ts";
import { type JointFeature, mostTogether, type Together } from "./together.ts";

/** Places that are kept of a feature, at least and at most, and of all features together. */
const LEAST = 64;
const MOST = 256;
const IN_ALL = 2 ** 23;

/**
 * Features that are on at the same places, by a sketch of each feature's places: those with the smallest hashes (bottom-k
 * sketches: Cohen & Kaplan 2007; one hash for all features, so that two sketches show the same places if both have them). What
 * is kept depends neither on the order nor on the split of places.
 *
 * Of two features that are on at no more places than a sketch has, the Jaccard index is exact. Of others it is that of the
 * places below the smaller of the two sketches' largest hashes, which are a random sample of k places and more of either
 * feature: its standard error is sqrt(j (1 - j) / k) at most, with k from 256 (up to 32,768 features) down to 64.
 */
export class PlaceSketches implements Together {
  readonly sample: number;
  readonly #features: number;
  readonly #stride: number;
  /** (F, k): a heap of each feature's hashes, the largest first; once `#index` is there, ascending. */
  readonly #hashes: Uint32Array<ArrayBuffer>;
  readonly #sizes: Uint16Array<ArrayBuffer>;
  #index: Index | undefined;

  /** @param longest Tokens of the longest prompt: no two places have one hash, up to 2^32 of them. */
  constructor(features: number, longest: number) {
    const most = 2 ** Math.floor(Math.log2(IN_ALL / features));
    this.sample = Math.max(LEAST, Math.min(MOST, most));
    this.#features = features;
    this.#stride = longest;
    this.#hashes = new Uint32Array(features * this.sample);
    this.#sizes = new Uint16Array(features);
  }

  add({ prompts, positions, features }: FeatureRows): void {
    const k = this.sample;
    const hashes = this.#hashes;
    for (let n = 0; n < features.length; n++) {
      const feature = features[n]!;
      const hash = mixed((prompts[n]! * this.#stride + positions[n]!) >>> 0);
      const top = feature * k;
      const size = this.#sizes[feature]!;
      if (size === k) {
        if (hash >= hashes[top]!) continue;
        siftDown(hashes, { top, size, hash });
      } else {
        siftUp(hashes, { top, at: size, hash });
        this.#sizes[feature] = size + 1;
      }
    }
  }

  of(feature: number, counts: Float64Array): readonly JointFeature[] {
    const index = this.#index ??= this.#indexed();
    const own = this.#sketch(feature);
    const shared = index.shared;
    const met: number[] = [];
    for (const hash of own) {
      for (let at = index.find(hash); index.hashAt(at) === hash; at++) {
        const other = index.featureAt(at);
        if (other === feature) continue;
        if (shared[other]!++ === 0) met.push(other);
      }
    }
    const found = met.map((other): JointFeature => {
      const both = shared[other]!;
      shared[other] = 0;
      const there = this.#sketch(other);
      const end = Math.min(
        counts[feature]! > own.length ? own.at(-1)! : Infinity,
        counts[other]! > there.length ? there.at(-1)! : Infinity,
      );
      return { feature: other, jaccard: both / (upTo(own, end) + upTo(there, end) - both) };
    });
    return mostTogether(found);
  }

  #sketch(feature: number): Uint32Array<ArrayBuffer> {
    const first = feature * this.sample;
    return this.#hashes.subarray(first, first + this.#sizes[feature]!);
  }

  #indexed(): Index {
    const size = this.#sizes.reduce((sum, own) => sum + own, 0);
    const entries = new Float64Array(size);
    let at = 0;
    for (let feature = 0; feature < this.#features; feature++) {
      for (const hash of this.#sketch(feature).sort()) entries[at++] = hash * WIDTH + feature;
    }
    return new Index(entries.sort(), this.#features);
  }
}

/** Room for a feature in a number that sorts by hash, then by feature. */
const WIDTH = 2 ** 20;

/** Which features have a hash in their sketches. */
class Index {
  /** (F), zeros: for counting. */
  readonly shared: Uint16Array<ArrayBuffer>;
  readonly #entries: Float64Array;

  constructor(entries: Float64Array, features: number) {
    this.#entries = entries;
    this.shared = new Uint16Array(features);
  }

  /** The first entry of a hash. */
  find(hash: number): number {
    return firstAtLeast(this.#entries, hash * WIDTH);
  }

  hashAt(at: number): number {
    return Math.floor(this.#entries[at]! / WIDTH);
  }

  featureAt(at: number): number {
    return this.#entries[at]! % WIDTH;
  }
}

/** How many of some ascending numbers are a number at most. */
function upTo(numbers: Uint32Array, most: number): number {
  return most === Infinity ? numbers.length : firstAtLeast(numbers, most + 1);
}

function firstAtLeast(numbers: ArrayLike<number>, value: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface HeapPlace {
  /** Where the heap begins. */
  readonly top: number;
  readonly hash: number;
}

function siftUp(heap: Uint32Array, { top, at, hash }: HeapPlace & { readonly at: number }): void {
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (heap[top + above]! >= hash) break;
    heap[top + at] = heap[top + above]!;
    at = above;
  }
  heap[top + at] = hash;
}

/** Puts a smaller hash in the largest's place. */
function siftDown(
  heap: Uint32Array,
  { top, size, hash }: HeapPlace & { readonly size: number },
): void {
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= size) break;
    if (below + 1 < size && heap[top + below + 1]! > heap[top + below]!) below++;
    if (heap[top + below]! <= hash) break;
    heap[top + at] = heap[top + below]!;
    at = below;
  }
  heap[top + at] = hash;
}

/** The last steps of MurmurHash3: each number of 32 bits has another. */
function mixed(word: number): number {
  word = Math.imul(word ^ word >>> 16, 0x85ebca6b);
  word = Math.imul(word ^ word >>> 13, 0xc2b2ae35);
  return (word ^ word >>> 16) >>> 0;
}
