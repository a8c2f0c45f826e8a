import { InfoflowError } from "../../errors.ts";

/** Wrong tokens are told so far apart, in ms, whoever sent them and over how many connections. */
export const GUESS_MS = 500;
/** Wrong tokens that may wait to be told; the next is refused at once. */
export const MOST_GUESSES = 16;

/**
 * The wrong tokens that were sent to a server. Each is told after the one before it; the right token waits for none of
 * them. What is kept is one point in time: who leaves makes nobody else's turn earlier.
 */
export class Guesses {
  readonly #apart: number;
  #lastTurn = 0;

  /** @param apart How far apart they are told, in ms. */
  constructor(apart = GUESS_MS) {
    this.#apart = apart;
  }

  /**
   * Waits for the turn of a wrong token.
   *
   * @throws {InfoflowError} OVERLOADED, with `retryAfter` in seconds, if too many wait.
   */
  async turn(): Promise<void> {
    const now = performance.now();
    const turn = Math.max(now, this.#lastTurn) + this.#apart;
    if (turn - now > MOST_GUESSES * this.#apart) {
      throw new InfoflowError(
        "OVERLOADED",
        `Cannot answer another wrong token as ${MOST_GUESSES} are waiting: send the right one, or ask again in a moment`,
        { waiting: MOST_GUESSES, retryAfter: Math.ceil((turn - now) / 1000) },
      );
    }
    this.#lastTurn = turn;
    await new Promise((resolve) => setTimeout(resolve, turn - now));
  }
}
