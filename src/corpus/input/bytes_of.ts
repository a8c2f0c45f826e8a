import { Decompress } from "fzstd";
import { pipeline, Readable } from "node:stream";
import type { ReadableStream as NodeStream } from "node:stream/web";
import { createGunzip } from "node:zlib";

/**
 * The bytes of a file, piece by piece; of a `.gz` or `.zst`, what was compressed.
 *
 * @throws {Error} If the file can't be read, or what is compressed is cut or damaged.
 */
export async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  const { readable } = await Deno.open(path);
  if (path.endsWith(".gz")) yield* gunzipped(readable);
  // Node's own stops at the end of the first frame, and takes a file that is cut for whole.
  else if (path.endsWith(".zst")) yield* unzstd(readable);
  else yield* readable;
}

async function* gunzipped(readable: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip();
  pipeline(Readable.fromWeb(readable as NodeStream), gunzip, () => {}); // its errors come out of the loop
  yield* gunzip;
}

async function* unzstd(readable: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const decompress = new Decompress((piece) => pieces.push(piece));
  for await (const piece of readable) {
    decompress.push(piece);
    yield* pieces.splice(0);
  }
  decompress.push(new Uint8Array(0), true);
  yield* pieces;
}
