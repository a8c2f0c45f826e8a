import {
  type DataType,
  Field,
  List,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  vectorFromArray,
} from "apache-arrow";

/** A column of any type, and its values. */
export type NestedColumn = readonly [name: string, type: DataType, values: readonly unknown[]];

/** Lists of a type. */
export function listOf(type: DataType): List {
  return new List(new Field("item", type, true));
}

/** Structs with these fields. */
export function structOf(fields: Readonly<Record<string, DataType>>): Struct {
  return new Struct(Object.entries(fields).map(([name, type]) => new Field(name, type, true)));
}

/**
 * Writes columns of lists and structs as an Arrow IPC stream of one record batch, with metadata under `infoflow` in the
 * schema. Same columns and metadata, same bytes.
 */
export function encodeNested(
  columns: readonly NestedColumn[],
  metadata: unknown,
): Uint8Array<ArrayBuffer> {
  const fields = columns.map(([name, type]) => new Field(name, type, true));
  const schema = new Schema(fields, new Map([["infoflow", JSON.stringify(metadata)]]));
  const children = columns.map(([, type, values]) => vectorFromArray(values, type).data[0]!);
  const length = columns[0]?.[2].length ?? 0;
  const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  const writer = new RecordBatchStreamWriter();
  writer.write(new RecordBatch(schema, rows));
  return writer.finish().toUint8Array(true) as Uint8Array<ArrayBuffer>;
}
