import { type RecordBatch as ArrowBatch, RecordBatchStreamWriter, type Schema } from "apache-arrow";
import {
  Compression,
  RecordBatch,
  Table,
  transformParquetStream,
  WriterPropertiesBuilder,
} from "parquet-wasm/bundler";
import { writeFile } from "./write_file.ts";

/** Rows of a row group: what readers take at once. */
const GROUP_ROWS = 1024;

/**
 * Writes record batches as a Parquet file (zstd), a row group at a time. Same batches, same bytes.
 *
 * @param schema Of the batches; its metadata become the file's.
 * @param groupRows Rows of a row group.
 * @returns How many bytes it has.
 */
export async function writeParquet(
  path: string,
  schema: Schema,
  batches: AsyncIterable<ArrowBatch> | Iterable<ArrowBatch>,
  groupRows = GROUP_ROWS,
): Promise<number> {
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(groupRows)
    .setKeyValueMetadata(new Map(schema.metadata))
    .setCreatedBy("infoflow")
    .build();
  const broken: unknown[] = [];
  const input = ReadableStream.from(noting(imported(schema, batches), broken));
  return await writeFile(path, whole(await transformParquetStream(input, properties), broken));
}

/** The same items; an error that ends them is added to a list too. */
async function* noting<T>(items: AsyncGenerator<T>, broken: unknown[]): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (error) {
    broken.push(error);
    throw error;
  }
}

/** The writer does not notice an error of its batches and ends the file as if they were complete: this throws the error. */
async function* whole<T>(pieces: AsyncIterable<T>, broken: readonly unknown[]): AsyncGenerator<T> {
  yield* pieces;
  if (broken.length > 0) throw broken[0];
}

/** The same batches in the writer's own memory; one without rows where there is none, for the schema. */
async function* imported(
  schema: Schema,
  batches: AsyncIterable<ArrowBatch> | Iterable<ArrowBatch>,
): AsyncGenerator<RecordBatch> {
  let isEmpty = true;
  for await (const batch of batches) {
    isEmpty = false;
    yield* importedFrom(schema, batch);
  }
  if (isEmpty) yield* importedFrom(schema);
}

function importedFrom(schema: Schema, batch?: ArrowBatch): RecordBatch[] {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  if (batch) writer.write(batch);
  return Table.fromIPCStream(writer.finish().toUint8Array(true)).recordBatches();
}
