import { InfoflowError } from "../../errors.ts";

/** The ms between two refusals of wrong tokens, for all clients and connections together. */
export const GUESS_MS = 500;
/** Wrong tokens that may wait for their refusal; the next is refused at once. */
export const MOST_GUESSES = 16;

/**
 * Slows down the guessing of a server's token: wrong tokens are refused one after the other, and the right one waits for
 * none of them. Only the time of the last turn is kept, so a client that leaves does not make another's turn earlier.
 */
export class Guesses {
  readonly #apart: number;
  #lastTurn = 0;

  /** @param apart The ms between two refusals. */
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
