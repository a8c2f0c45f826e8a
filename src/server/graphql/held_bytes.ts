import { Buffer } from "node:buffer";

/** Bytes whose base64 is written at once; a multiple of 3, so that the pieces can be concatenated. */
const PIECE = 3 * 64 * 1024;
/** An answer of fewer characters is written at once, and not in a stream. */
const SMALL = 64 * 1024;
const encoder = new TextEncoder();

/**
 * The Arrow of a query's answer. In the JSON stands a word for each; the base64 is put there, piece by piece, while the
 * answer is sent: as one text it would be written three times, and hold up the thread that answers.
 */
export class HeldBytes {
  readonly #nonce = crypto.randomUUID();
  readonly #held: Uint8Array[] = [];

  /** @returns The word that stands for some bytes. */
  hold(bytes: Uint8Array): string {
    this.#held.push(bytes);
    return `${this.#nonce}.${this.#held.length - 1}.`;
  }

  /** The answer with the bytes in it. */
  async fill(response: Response): Promise<Response> {
    if (!response.body) return response;
    // Even parts are text; odd parts say which bytes go there.
    const parts = this.#split(await response.text());
    const pieces = parts.map((part, at) =>
      at % 2 === 0 ? encoder.encode(part) : this.#held[Number(part)]!
    );
    const length = pieces.reduce(
      (sum, { length }, at) => sum + (at % 2 === 0 ? length : 4 * Math.ceil(length / 3)),
      0,
    );
    const body = length <= SMALL ? whole(pieces) : ReadableStream.from(written(pieces));
    const filled = new Response(body, response);
    filled.headers.set("content-length", String(length));
    return filled;
  }

  #split(text: string): string[] {
    const [first, ...others] = text.split(`${this.#nonce}.`);
    return [
      first!,
      ...others.flatMap((part) => {
        const end = part.indexOf(".");
        return [part.slice(0, end), part.slice(end + 1)];
      }),
    ];
  }
}

function whole(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Buffer.concat(
    pieces.map((piece, at) => at % 2 === 0 ? piece : encoder.encode(piece.toBase64())),
  );
}

async function* written(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (const [at, piece] of pieces.entries()) {
    if (at % 2 === 0) {
      if (piece.length > 0) yield piece as Uint8Array<ArrayBuffer>;
      continue;
    }
    for (let from = 0; from < piece.length; from += PIECE) {
      yield encoder.encode(piece.subarray(from, from + PIECE).toBase64());
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}
