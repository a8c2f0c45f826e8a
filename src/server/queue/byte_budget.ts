import { InfoflowError } from "../../errors.ts";
import type { BytesInFlight } from "./bytes_in_flight.ts";

/** How many bytes the answer to one request may have, all that its query selects together. */
export class ByteBudget {
  readonly #limit: number;
  readonly #inFlight: BytesInFlight;
  #claimed = 0;
  #reserved = 0;
  #isOver = false;

  constructor(limit: number, inFlight: BytesInFlight) {
    this.#limit = limit;
    this.#inFlight = inFlight;
  }

  /**
   * Counts a part of the answer before it is computed. It waits for what else the same query selects, so that of a query
   * that wants too much nothing is computed.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE, with `bytes` and `limit`; OVERLOADED if other answers take the room.
   */
  async claim(bytes: number): Promise<void> {
    this.#claimed += bytes;
    await Promise.resolve();
    if (this.#claimed > this.#limit) {
      throw new InfoflowError(
        "MATRIX_TOO_LARGE",
        `Cannot hand out ${
          this.#claimed.toLocaleString("en")
        } bytes in one answer as the limit is ${
          this.#limit.toLocaleString("en")
        }: ask for less, or in several requests`,
        { bytes: this.#claimed, limit: this.#limit },
      );
    }
    if (this.#isOver) return;
    this.#inFlight.reserve(bytes);
    this.#reserved += bytes;
  }

  /** To be called when the answer is read, or its client is gone. */
  release(): void {
    this.#isOver = true;
    this.#inFlight.release(this.#reserved);
    this.#reserved = 0;
  }
}
