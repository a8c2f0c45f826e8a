import { type Data, Dictionary, Int32, makeData, Utf8, Vector } from "apache-arrow";
import { type ArrowColumn, float32, int32, lists, matrixColumns } from "./columns.ts";
import type { LabelledMatrix } from "./labelled_matrix.ts";

/**
 * A row for each target of each matrix: `layer` and `head` (as far as there are such axes), `target`, `token`, `dropped`
 * and `flow`, a list of as many numbers as there are sources. Where tokens share cells, `target` is the first of the
 * row's cell, and `token` has the texts of all of them.
 */
export function rowsLayout(matrix: LabelledMatrix): ArrowColumn[] {
  const { dropped, flow, shape, span, targets: rows } = matrix;
  const targets = Int32Array.from(dropped, (_, row) => rows[row % rows.length]! * span);
  return [
    ...matrixColumns(matrix, rows.length),
    { name: "target", data: int32(targets) },
    { name: "token", data: texts(cellTexts(matrix), dropped.length) },
    { name: "dropped", data: float32(dropped) },
    { name: "flow", data: lists(flow, shape.at(-1)!) },
  ];
}

/** The texts of the rows. */
function cellTexts({ tokens, span, targets }: LabelledMatrix): readonly string[] {
  return targets.map((cell) => tokens.slice(cell * span, (cell + 1) * span).join(""));
}

/** The texts, repeated to fill a number of rows. */
function texts(cells: readonly string[], length: number): Data {
  const different = [...new Set(cells)];
  const codes = new Map(different.map((text, code) => [text, code]));
  const data = Int32Array.from({ length }, (_, row) => codes.get(cells[row % cells.length]!)!);
  // The dictionary's number is given: by itself the library counts up, and no two answers would be the same bytes.
  const type = new Dictionary(new Utf8(), new Int32(), 0);
  const dictionary = new Vector([utf8(different)]);
  return makeData({ type, length, nullCount: 0, data, dictionary });
}

const encoder = new TextEncoder();

/** A column of texts; the library's builder takes ten times as long. */
function utf8(texts: readonly string[]): Data<Utf8> {
  const parts = texts.map((text) => encoder.encode(text));
  const valueOffsets = new Int32Array(texts.length + 1);
  parts.forEach(({ length }, at) => valueOffsets[at + 1] = valueOffsets[at]! + length);
  const data = new Uint8Array(valueOffsets.at(-1)!);
  parts.forEach((part, at) => data.set(part, valueOffsets[at]));
  return makeData({ type: new Utf8(), length: texts.length, nullCount: 0, valueOffsets, data });
}
