import type { TopProductsFound } from "./top_products.ts";

/** (F, k): the largest products of each feature so far, equal ones by column; -1 and 0 where there are fewer. */
export class TopTable {
  readonly columns: Int32Array<ArrayBuffer>;
  readonly products: Float32Array<ArrayBuffer>;
  readonly #k: number;

  constructor(features: number, k: number) {
    this.columns = new Int32Array(features * k).fill(-1);
    this.products = new Float32Array(features * k);
    this.#k = k;
  }

  /**
   * Adds products of some features, from `first` on. Columns come in ascending blocks.
   *
   * @param options Whether columns are features too: none stands in its own row.
   */
  add(
    first: number,
    { columns, products, width }: TopProductsFound,
    { isOfThemselves = false }: { readonly isOfThemselves?: boolean } = {},
  ): void {
    columns.forEach((column, n) => {
      const feature = first + Math.floor(n / width);
      if (column < 0 || isOfThemselves && column === feature) return;
      const [start, end] = [feature * this.#k, (feature + 1) * this.#k];
      let at = end;
      while (at > start && (this.columns[at - 1]! < 0 || products[n]! > this.products[at - 1]!)) {
        at--;
      }
      if (at === end) return;
      this.columns.copyWithin(at + 1, at, end - 1);
      this.products.copyWithin(at + 1, at, end - 1);
      this.columns[at] = column;
      this.products[at] = products[n]!;
    });
  }
}
