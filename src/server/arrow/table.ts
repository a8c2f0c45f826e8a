import {
  Field,
  Float32,
  Int32,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from "apache-arrow";

const TYPES = {
  int32: () => new Int32(),
  float32: () => new Float32(),
  utf8: () => new Utf8(),
};

/** A column of a table; null where a row has no value. */
export interface Column {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly values: readonly (number | string | null)[];
}

/**
 * Writes columns as an Arrow IPC stream of one record batch, with metadata under `infoflow` in the schema. Only columns
 * that have a null are nullable. Same columns and metadata, same bytes.
 */
export function encodeTable(
  columns: readonly Column[],
  metadata: unknown,
): Uint8Array<ArrayBuffer> {
  const children = columns.map(({ type, values }) =>
    vectorFromArray(values, TYPES[type]()).data[0]!
  );
  const fields = columns.map(({ name, type, values }) =>
    new Field(name, TYPES[type](), values.includes(null))
  );
  const schema = new Schema(fields, new Map([["infoflow", JSON.stringify(metadata)]]));
  const length = columns[0]?.values.length ?? 0;
  const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  const writer = new RecordBatchStreamWriter();
  writer.write(new RecordBatch(schema, rows));
  return writer.finish().toUint8Array(true) as Uint8Array<ArrayBuffer>;
}
