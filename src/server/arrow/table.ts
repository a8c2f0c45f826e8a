import {
  type Data,
  Field,
  Float32,
  Int32,
  makeBuilder,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
} from "apache-arrow";
import { isLong, pause } from "../../pauses.ts";

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
 * that have a null are nullable. Same columns and metadata, same bytes. Long ones are written in pieces.
 */
export async function encodeTable(
  columns: readonly Column[],
  metadata: unknown,
): Promise<Uint8Array<ArrayBuffer>> {
  const children: Data[] = [];
  for (const column of columns) children.push(await dataOf(column));
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

/** Values that are written between two looks at the clock. */
const PIECE = 512;

async function dataOf({ type, values }: Column): Promise<Data> {
  const builder = makeBuilder({ type: TYPES[type](), nullValues: [null] });
  for (const [at, value] of values.entries()) {
    if (at % PIECE === PIECE - 1 && isLong()) await pause();
    builder.append(value as never);
  }
  return builder.finish().toVector().data[0]!;
}
