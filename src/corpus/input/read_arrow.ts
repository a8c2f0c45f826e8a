import { RecordBatchReader } from "apache-arrow";
import { bytesOf } from "./bytes_of.ts";
import { type InputBatch, NO_FAULTS } from "../../server/batch/input_batch.ts";

/** What a file of Arrow IPC begins with; a stream follows, and a footer that is not needed to read it in order. */
const MAGIC = new TextEncoder().encode("ARROW1\0\0");

/** The end marker of a stream. */
const END = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0];

/**
 * Reads Arrow IPC, a file or a stream.
 *
 * @throws {Error} If it is none, is cut, or its bodies are compressed.
 */
export async function* readArrow(path: string): AsyncGenerator<InputBatch> {
  const reader = await RecordBatchReader.from(checked(path));
  for await (const batch of reader) yield { batch, faults: NO_FAULTS };
}

/** The stream's bytes from its beginning, read up to its end marker, which must be there. */
async function* checked(path: string): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  let tail: number[] = [];
  let isFile = false;
  for await (let piece of bytesOf(path)) {
    if (isFirst) {
      isFile = MAGIC.every((byte, at) => piece[at] === byte);
      if (isFile) piece = piece.subarray(MAGIC.length);
      isFirst = false;
    }
    tail = [...tail, ...piece.subarray(-END.length)].slice(-END.length);
    yield piece;
  }
  const isWhole = isFile
    ? tail.slice(-6).every((byte, at) => byte === MAGIC[at])
    : tail.join() === END.join();
  if (!isWhole) throw new RangeError(`Cannot read ${path} as it is cut: its end is missing`);
}
