import {
  Field,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
} from "apache-arrow";
import type { ArrowColumn } from "./columns.ts";
import type { ArrowForm, Format, Layout } from "./form.ts";
import type { LabelledMatrix, Metadata } from "./labelled_matrix.ts";
import { rowsLayout } from "./rows.ts";
import { tensorLayout } from "./tensor.ts";
import { tidyLayout } from "./tidy.ts";

const COLUMNS: Record<Layout, (matrix: LabelledMatrix) => ArrowColumn[]> = {
  rows: rowsLayout,
  tensor: tensorLayout,
  tidy: tidyLayout,
};

/**
 * Writes a matrix as Arrow IPC of one record batch; no column is nullable. Same matrix and metadata, same bytes.
 *
 * Bodies are not compressed: apache-arrow 21.2.0 writes a wrong length into those, and HTTP compresses better.
 */
export function encodeMatrix(
  matrix: LabelledMatrix,
  metadata: Metadata,
  { layout, format }: ArrowForm,
): Uint8Array<ArrayBuffer> {
  return encodeColumns(COLUMNS[layout](matrix), metadata, format);
}

/**
 * Writes columns as Arrow IPC of one record batch, with metadata under `infoflow` in the schema; no column is nullable.
 * Same columns and metadata, same bytes.
 */
export function encodeColumns(
  columns: readonly ArrowColumn[],
  metadata: unknown,
  format: Format,
): Uint8Array<ArrayBuffer> {
  const fields = columns.map(({ name, data, metadata }) =>
    new Field(name, data.type, false, new Map(metadata))
  );
  const schema = new Schema(fields, new Map([["infoflow", JSON.stringify(metadata)]]));
  const { length } = columns[0]!.data;
  const children = columns.map(({ data }) => data);
  const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  const writer = format === "file" ? new RecordBatchFileWriter() : new RecordBatchStreamWriter();
  writer.write(new RecordBatch(schema, rows));
  return writer.finish().toUint8Array(true) as Uint8Array<ArrayBuffer>;
}
