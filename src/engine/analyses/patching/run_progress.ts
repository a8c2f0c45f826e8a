import type { RunPace } from "./run_pace.ts";

/** Ms between two checks whether a caller still waits. */
const PIECE_MS = 100;

/** How far patched runs are, in rows of layers. */
export class RunProgress {
  readonly #total: number;
  readonly #limit: number;
  readonly #pace: RunPace;
  #done = 0;
  /** Recorded since the last check. */
  #recorded = 0;
  #since = performance.now();

  /** @param limit In seconds. Runs that would take longer are refused. */
  constructor(total: number, limit: number, pace: RunPace) {
    this.#total = total;
    this.#limit = limit;
    this.#pace = pace;
  }

  /**
   * Notes rows of a layer that are to be computed.
   *
   * @returns Whether to wait for them now.
   */
  add(rows: number): boolean {
    this.#recorded += rows;
    return this.#recorded >= this.#pace.rowLayersIn(PIECE_MS);
  }

  /**
   * Notes that all of them are done.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE, if the rest will take too long.
   */
  look(): void {
    const now = performance.now();
    this.#pace.record(this.#recorded, now - this.#since);
    this.#done += this.#recorded;
    this.#recorded = 0;
    this.#since = now;
    this.#pace.check(this.#total - this.#done, this.#limit);
  }
}
