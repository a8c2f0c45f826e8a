import assert from "node:assert/strict";
import { TopTable } from "../../src/engine/sae/top_table.ts";
import { Random } from "../support/random.ts";

Deno.test("the largest products of columns that come in blocks are those of all columns", () => {
  const [F, k] = [23, 4];
  const random = new Random(5);
  const products = Array.from({ length: F * F }, () => random.below(7)); // with many equal ones
  const table = new TopTable(F, k);
  for (const [first, end] of [[0, 9], [9, 10], [10, 23]] as const) {
    // Each row's k + 1 largest of the block, as the device finds them.
    const found = Array.from(
      { length: F },
      (_, f) =>
        Array.from({ length: end - first }, (_, n) => first + n)
          .sort((a, b) => products[f * F + b]! - products[f * F + a]! || a - b)
          .slice(0, k + 1)
          .filter((column) => products[f * F + column]! > 0),
    );
    const width = Math.min(k + 1, end - first);
    const columns = new Int32Array(F * width).fill(-1);
    const values = new Float32Array(F * width);
    found.forEach((own, f) =>
      own.forEach((column, n) => {
        columns[f * width + n] = column;
        values[f * width + n] = products[f * F + column]!;
      })
    );
    for (const [start, stop] of [[0, 16], [16, F]] as const) {
      const part = { columns: columns.subarray(start * width, stop * width) };
      const rest = { products: values.subarray(start * width, stop * width), width };
      table.add(start, { ...part, ...rest }, { isOfThemselves: true });
    }
  }
  for (let f = 0; f < F; f++) {
    const expected = Array.from({ length: F }, (_, column) => column)
      .filter((column) => column !== f && products[f * F + column]! > 0)
      .sort((a, b) => products[f * F + b]! - products[f * F + a]! || a - b)
      .slice(0, k);
    assert.deepEqual(Array.from(table.columns.subarray(f * k, f * k + expected.length)), expected);
  }
});
