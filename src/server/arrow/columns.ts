import {
  type Data,
  type DataType,
  Field,
  FixedSizeList,
  Float32,
  Int32,
  makeData,
} from "apache-arrow";
import type { LabelledMatrix } from "./labelled_matrix.ts";

/** A column: its field's name, its numbers, and the field's metadata. */
export interface ArrowColumn {
  readonly name: string;
  readonly data: Data;
  readonly metadata?: ReadonlyMap<string, string>;
}

/**
 * The columns `layer` and `head`, if the matrix has these axes.
 *
 * @param perMatrix How many rows a (target, source) matrix has.
 */
export function matrixColumns(
  { axes, shape, layers, heads }: LabelledMatrix,
  perMatrix: number,
): ArrowColumn[] {
  const matrices = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  const perLayer = axes.includes("head") ? heads.length : 1;
  const columns: ArrowColumn[] = [];
  const add = (name: string, at: (matrix: number) => number): void => {
    const data = new Int32Array(matrices * perMatrix);
    for (let matrix = 0; matrix < matrices; matrix++) {
      data.fill(at(matrix), matrix * perMatrix, (matrix + 1) * perMatrix);
    }
    columns.push({ name, data: int32(data) });
  };
  if (axes.includes("layer")) add("layer", (matrix) => layers[Math.floor(matrix / perLayer)]!);
  if (axes.includes("head")) add("head", (matrix) => heads[matrix % perLayer]!);
  return columns;
}

/**
 * A column of layers, heads or token positions. It is signed, because `source - target` of unsigned columns wraps round
 * in pandas, polars and pyarrow, and is an error in DuckDB.
 */
export function int32(data: Int32Array): Data {
  return makeData({ type: new Int32(), length: data.length, nullCount: 0, data });
}

/** A column of numbers. */
export function float32(data: Float32Array): Data {
  return makeData({ type: new Float32(), length: data.length, nullCount: 0, data });
}

/** A column of lists of `size` numbers each. */
export function lists(numbers: Float32Array, size: number): Data {
  const type = new FixedSizeList<DataType>(size, new Field("item", new Float32(), false));
  const length = numbers.length / size;
  return makeData({ type, length, nullCount: 0, child: float32(numbers) });
}
