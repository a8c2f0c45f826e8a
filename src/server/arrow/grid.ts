import { type ArrowColumn, float32, int32, lists } from "./columns.ts";
import { encodeColumns } from "./encode.ts";
import type { ArrowForm } from "./form.ts";

/** Numbers along axes. */
export interface Grid {
  /** The names of the axes, such as `layer`. */
  readonly axes: readonly string[];
  /** The numbers along each axis, such as the layers that are there. */
  readonly labels: readonly (readonly number[])[];
  /** Row-major. */
  readonly values: Float32Array;
}

/**
 * Writes a grid as Arrow IPC of one record batch: a row for each number, with a column for each axis and `value`; or,
 * as a tensor, one row with `values`, an `arrow.fixed_shape_tensor` of the grid's shape. No column is nullable.
 */
export function encodeGrid(
  grid: Grid,
  metadata: unknown,
  { layout, format }: ArrowForm,
): Uint8Array<ArrayBuffer> {
  const columns = layout === "tensor" ? [tensorColumn(grid)] : cellColumns(grid);
  return encodeColumns(columns, metadata, format);
}

function cellColumns({ axes, labels, values }: Grid): ArrowColumn[] {
  let run = values.length; // of equal labels
  const columns = axes.map((name, axis): ArrowColumn => {
    const along = labels[axis]!;
    run /= along.length;
    const each = run;
    const data = Int32Array.from(values, (_, at) => along[Math.floor(at / each) % along.length]!);
    return { name, data: int32(data) };
  });
  return [...columns, { name: "value", data: float32(values) }];
}

function tensorColumn({ axes, labels, values }: Grid): ArrowColumn {
  const tensor = { shape: labels.map(({ length }) => length), dim_names: axes };
  return {
    name: "values",
    data: lists(values, values.length),
    metadata: new Map([
      ["ARROW:extension:name", "arrow.fixed_shape_tensor"],
      ["ARROW:extension:metadata", JSON.stringify(tensor)],
    ]),
  };
}
