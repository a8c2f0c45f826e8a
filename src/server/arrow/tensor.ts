import { type ArrowColumn, lists, matrixColumns } from "./columns.ts";
import type { LabelledMatrix } from "./labelled_matrix.ts";

/**
 * A row for each matrix: `layer` and `head` (as far as there are such axes), `dropped`, a list of a number for each
 * target, and `flow`, an `arrow.fixed_shape_tensor` of (target, source), which pyarrow gives as a NumPy array of all
 * matrices without a copy.
 */
export function tensorLayout(matrix: LabelledMatrix): ArrowColumn[] {
  const { dropped, flow, shape } = matrix;
  const [rows, cells] = shape.slice(-2) as [number, number];
  const tensor = { shape: [rows, cells], dim_names: ["target", "source"] };
  return [
    ...matrixColumns(matrix, 1),
    { name: "dropped", data: lists(dropped, rows) },
    {
      name: "flow",
      data: lists(flow, rows * cells),
      metadata: new Map([
        ["ARROW:extension:name", "arrow.fixed_shape_tensor"],
        ["ARROW:extension:metadata", JSON.stringify(tensor)],
      ]),
    },
  ];
}
