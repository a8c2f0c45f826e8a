import { isLong, pause } from "../../pauses.ts";
import { type RecordBatch, RecordBatchStreamWriter, type Schema } from "apache-arrow";

/** The end marker of a stream of Arrow IPC. */
export const END_OF_STREAM: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** Writes record batches as a stream of Arrow IPC: the schema, each batch as it comes, the end. */
export async function* encodeStream(
  schema: Schema,
  batches: AsyncIterable<RecordBatch>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const head = await encoded(schema);
  yield head;
  for await (const batch of batches) yield (await encoded(schema, batch)).subarray(head.length);
  yield END_OF_STREAM.slice();
}

/** The schema and a batch after it, without the end marker. */
async function encoded(schema: Schema, batch?: RecordBatch): Promise<Uint8Array<ArrayBuffer>> {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  if (batch) writer.write(batch);
  if (isLong()) await pause(); // a batch of one row may have megabytes
  const bytes = writer.finish().toUint8Array(true) as Uint8Array<ArrayBuffer>;
  return bytes.subarray(0, -END_OF_STREAM.length);
}
