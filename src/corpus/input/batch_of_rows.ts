import { Field, makeData, RecordBatch, Schema, Struct, vectorFromArray } from "apache-arrow";
import type { InputBatch } from "../../server/batch/input_batch.ts";
import { type ColumnKind, converted, typeOf } from "./column_kind.ts";

/** Makes a batch of values, row by row; a row that is undefined has none. */
export function batchOfRows(
  rows: readonly (Readonly<Record<string, unknown>> | undefined)[],
  kinds: ReadonlyMap<string, ColumnKind | undefined>,
  faults: InputBatch["faults"],
): InputBatch {
  const fields = [...kinds].map(([name, kind]) => new Field(name, typeOf(kind), true));
  const children = [...kinds].map(([name, kind], at) => {
    const values = rows.map((row) => converted(row?.[name], kind));
    return vectorFromArray(values, fields[at]!.type).data[0]!;
  });
  const data = makeData({ type: new Struct(fields), length: rows.length, nullCount: 0, children });
  return { batch: new RecordBatch(new Schema(fields), data), faults };
}
