import { type ArrowColumn, float32, int32, matrixColumns } from "./columns.ts";
import type { LabelledMatrix } from "./labelled_matrix.ts";

/**
 * A row for each number of the causal half: `layer` and `head` (as far as there are such axes), `target`, `source` and
 * `weight`. What is not there is 0. Where tokens share cells, `target` and `source` are the first of theirs.
 */
export function tidyLayout(matrix: LabelledMatrix): ArrowColumn[] {
  const { flow, shape, span, targets: rows } = matrix;
  const cells = shape.at(-1)!;
  const half = rows.reduce((sum, target) => sum + target + 1, 0);
  const matrices = flow.length / (rows.length * cells);
  const targets = new Int32Array(matrices * half);
  const sources = new Int32Array(matrices * half);
  const weights = new Float32Array(matrices * half);
  const positions = Int32Array.from({ length: cells }, (_, cell) => cell * span);
  let at = 0;
  for (let row = 0; row < matrices * rows.length; row++) {
    const target = rows[row % rows.length]!;
    targets.fill(target * span, at, at + target + 1);
    sources.set(positions.subarray(0, target + 1), at);
    weights.set(flow.subarray(row * cells, row * cells + target + 1), at);
    at += target + 1;
  }
  return [
    ...matrixColumns(matrix, half),
    { name: "target", data: int32(targets) },
    { name: "source", data: int32(sources) },
    { name: "weight", data: float32(weights) },
  ];
}
