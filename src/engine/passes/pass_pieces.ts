/** Some layers of a pass that are submitted together. */
export interface Piece {
  /** The first of the layers, and the one after the last. */
  readonly first: number;
  readonly end: number;
  /** Whether the pass ends with it. */
  readonly isLast: boolean;
}

/** A pass that is expected to take LONG ms is submitted in pieces, which take PIECE ms at least. */
const LONG = 60;
const PIECE = 20;
/** Until FEW passes were seen, a pass of LONG_ROWS rows counts as long. */
const FEW = 3;
const LONG_ROWS = 256;

/**
 * Decides how much of a pass to submit at once. The engine can stop between pieces, which costs 0.3 ms of waiting for
 * the device; short passes are submitted whole.
 */
export class PassPieces {
  readonly #layers: number;
  /** The least ms that a row took in a layer. */
  #rate = Infinity;
  #seen = 0;

  /** @param layers Of the model. */
  constructor(layers: number) {
    this.#layers = layers;
  }

  /** Records how long a pass took, in ms; other work of the machine makes some passes slow. */
  record(rows: number, ms: number): void {
    if (rows === 0) return;
    this.#seen++;
    this.#rate = Math.min(this.#rate, ms / (rows * this.#layers));
  }

  /**
   * The pieces of a pass over `rows` rows.
   *
   * @param from The first layer of which something is computed, and the one after the last: all by default. The last
   *   piece goes to the model's last layer all the same.
   */
  pieces(rows: number, from = 0, to = this.#layers): Piece[] {
    const size = this.#layersPerPiece(rows);
    const pieces: Piece[] = [];
    let first = from;
    for (; first + size < to; first += size) {
      pieces.push({ first, end: first + size, isLast: false });
    }
    return [...pieces, { first, end: this.#layers, isLast: true }];
  }

  #layersPerPiece(rows: number): number {
    if (this.#seen < FEW) return rows < LONG_ROWS ? this.#layers : 1;
    const perLayer = this.#rate * rows;
    if (perLayer * this.#layers < LONG) return this.#layers;
    return Math.max(1, Math.ceil(PIECE / perLayer));
  }
}
