import { PassPieces, type Piece } from "../../src/engine/passes/pass_pieces.ts";

/** Cuts every pass into pieces of one layer. */
export class OneByOne extends PassPieces {
  readonly #layers: number;

  /** @param layers Of the model. */
  constructor(layers: number) {
    super(layers);
    this.#layers = layers;
  }

  override pieces(rows: number): Piece[] {
    const size = rows === 0 ? this.#layers : 1;
    return Array.from({ length: this.#layers / size }, (_, i) => {
      return { first: i * size, end: (i + 1) * size, isLast: (i + 1) * size === this.#layers };
    });
  }
}
