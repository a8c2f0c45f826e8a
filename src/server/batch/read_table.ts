import { type RecordBatch, RecordBatchReader, type Schema } from "apache-arrow";
import { InfoflowError } from "../../errors.ts";
import { END_OF_STREAM } from "./encode_stream.ts";
import { type InputBatch, NO_FAULTS } from "./input_batch.ts";

/** The most rows of a request: clients send more in further ones, several at a time. */
const MOST_ROWS = 4096;

/** A table that was sent. */
export interface SentTable {
  readonly schema: Schema;
  readonly rows: number;
  batches(): AsyncGenerator<InputBatch & { readonly first: number }>;
}

/**
 * Reads a table that was sent as a stream of Arrow IPC.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if it is none, is cut, has compressed bodies, or too many rows.
 */
export function readTable(bytes: Uint8Array): SentTable {
  const isWhole = END_OF_STREAM.every((byte, at) => bytes.at(at - END_OF_STREAM.length) === byte);
  let schema: Schema | undefined;
  let batches: RecordBatch[] = [];
  try {
    const reader = RecordBatchReader.from(bytes).open();
    schema = reader.schema;
    batches = [...reader];
  } catch (error) {
    throw bad(
      `Cannot read the body as it must be a stream of Arrow IPC: ${(error as Error).message}`,
    );
  }
  if (!schema) throw bad("Cannot read the body as it must be a stream of Arrow IPC: it is empty");
  if (!isWhole) throw bad("Cannot read the body as it is cut: the end of the stream is missing");
  const rows = batches.reduce((sum, { numRows }) => sum + numRows, 0);
  if (rows > MOST_ROWS) {
    throw new InfoflowError(
      "BODY_TOO_LARGE",
      `Cannot answer ${rows.toLocaleString("en")} rows in a request as the limit is ${
        MOST_ROWS.toLocaleString("en")
      }: send them in parts`,
      { rows, limit: MOST_ROWS },
    );
  }
  return {
    schema,
    rows,
    async *batches() {
      let first = 0;
      for (const batch of batches) {
        yield { batch, faults: NO_FAULTS, first };
        first += batch.numRows;
      }
    },
  };
}

function bad(message: string): InfoflowError {
  return new InfoflowError("BAD_USER_INPUT", message);
}
