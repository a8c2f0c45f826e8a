import { InfoflowError } from "../../../errors.ts";

/** The ms that must be measured before times are predicted. */
const ENOUGH_MS = 100;

/** How fast rows go through layers on this device, and how long the remaining rows will take. */
export class RunPace {
  /** The least ms that a row of a layer took. */
  #rate = Infinity;
  #measured = 0;

  /** Notes how long rows of layers took. */
  record(rowLayers: number, ms: number): void {
    this.#measured += ms;
    this.#rate = Math.min(this.#rate, ms / rowLayers);
  }

  /** The number of rows of layers that take about the given ms. */
  rowLayersIn(ms: number): number {
    return Number.isFinite(this.#rate) ? ms / this.#rate : 256;
  }

  /**
   * Refuses runs that will take too long at the pace measured so far. Nothing is refused before enough was measured.
   *
   * @param limit In seconds.
   * @throws {InfoflowError} MATRIX_TOO_LARGE with `seconds`, `limit` and `rowLayers`.
   */
  check(rowLayers: number, limit: number): void {
    if (this.#measured < ENOUGH_MS) return;
    const seconds = Math.ceil(rowLayers * this.#rate / 1000);
    if (seconds <= limit) return;
    throw new InfoflowError(
      "MATRIX_TOO_LARGE",
      `Cannot patch ${
        rowLayers.toLocaleString("en")
      } rows of layers as it would take about ${seconds} s here, and the ` +
        `limit is ${limit} s: ask for a coarser grid, a shorter prompt, or prompts that differ later`,
      { seconds, limit, rowLayers },
    );
  }
}
