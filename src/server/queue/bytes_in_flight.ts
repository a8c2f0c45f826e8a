import { InfoflowError } from "../../errors.ts";

/** The bytes of all answers that are being made, or wait for their clients to read them. */
export class BytesInFlight {
  readonly limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** How many bytes are in flight. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes room for an answer, or a part of one.
   *
   * @throws {InfoflowError} OVERLOADED if there is none.
   */
  reserve(bytes: number): void {
    if (this.#bytes + bytes > this.limit) {
      throw new InfoflowError(
        "OVERLOADED",
        `Cannot make an answer of ${bytes.toLocaleString("en")} bytes as ${
          this.#bytes.toLocaleString("en")
        } of ${this.limit.toLocaleString("en")} are being read by others: ask again in a moment`,
        { bytes, limit: this.limit, retryAfter: 2 },
      );
    }
    this.#bytes += bytes;
  }

  /** Gives room back. */
  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}
