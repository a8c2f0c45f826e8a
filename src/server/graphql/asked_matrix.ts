import type { Layout } from "../arrow/form.ts";
import { InfoflowError } from "../../errors.ts";
import type { MatrixAnswer } from "../answers/matrix_answer.ts";

/** The matrix of a query whose client accepts Arrow instead of JSON. Resolvers note the matrices that they meet. */
export class AskedMatrix {
  readonly #matrices = new Set<MatrixAnswer>();
  readonly #layouts = new Set<Layout>();

  /** A matrix is selected. */
  note(matrix: MatrixAnswer): void {
    this.#matrices.add(matrix);
  }

  /** Its `arrow` field is, in a layout. */
  noteLayout(layout: Layout): void {
    this.#layouts.add(layout);
  }

  /**
   * The one matrix, in the layout of its `arrow` field, if that is selected.
   *
   * @throws {InfoflowError} BAD_USER_INPUT if there is none, or more than one.
   */
  get only(): { readonly matrix: MatrixAnswer; readonly layout: Layout } {
    const [matrix] = this.#matrices;
    const [layout = "rows"] = this.#layouts;
    if (matrix && this.#matrices.size === 1 && this.#layouts.size <= 1) return { matrix, layout };
    const matrices = Math.max(this.#matrices.size, this.#layouts.size);
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot answer with Arrow bytes as the query must select one matrix: current value is ${matrices}`,
      { matrices },
    );
  }
}
