import { emptyRows, type FeatureRows } from "./feature_rows.ts";

/** Collects activations up to a number of them, in any order, and gives them back sorted by feature. */
export class ActivationRun {
  readonly #features: number;
  #prompts: Float64Array<ArrayBuffer>;
  #positions: Int32Array<ArrayBuffer>;
  #rows: Int32Array<ArrayBuffer>;
  #activations: Float32Array<ArrayBuffer>;
  #size = 0;

  /**
   * @param features How many features there are.
   * @param room The most activations.
   */
  constructor(features: number, room: number) {
    this.#features = features;
    this.#prompts = new Float64Array(room);
    this.#positions = new Int32Array(room);
    this.#rows = new Int32Array(room);
    this.#activations = new Float32Array(room);
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Whether there is room for `count` more. */
  hasRoom(count: number): boolean {
    return this.#size + count <= this.#rows.length;
  }

  /** Takes an activation; there must be room. */
  add(feature: number, prompt: number, position: number, activation: number): void {
    const at = this.#size++;
    this.#rows[at] = feature;
    this.#prompts[at] = prompt;
    this.#positions[at] = position;
    this.#activations[at] = activation;
  }

  /** Removes all of them, sorted by feature; those of a feature stay in the order in which they came. */
  take(): FeatureRows {
    const starts = new Uint32Array(this.#features + 1);
    const size = this.#size;
    for (let n = 0; n < size; n++) starts[this.#rows[n]! + 1]!++;
    for (let f = 0; f < this.#features; f++) starts[f + 1]! += starts[f]!;
    const rows = emptyRows(size);
    for (let n = 0; n < size; n++) {
      const at = starts[this.#rows[n]!]!++;
      rows.prompts[at] = this.#prompts[n]!;
      rows.positions[at] = this.#positions[n]!;
      rows.features[at] = this.#rows[n]!;
      rows.activations[at] = this.#activations[n]!;
    }
    this.#size = 0;
    return rows;
  }
}
