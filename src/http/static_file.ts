import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** A file that is the same for everybody, compressed once, when it is first wanted. */
export class StaticFile {
  readonly #type: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #etag: string;
  readonly #compressed = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  /**
   * @param text What it says.
   * @param type Its media type.
   * @param headers Further headers that it is always sent with.
   */
  constructor(text: string, type: string, headers: Readonly<Record<string, string>> = {}) {
    this.#bytes = new TextEncoder().encode(text);
    this.#type = type;
    this.#headers = headers;
    this.#etag = createHash("sha256").update(this.#bytes).digest("hex").slice(0, 32);
  }

  /** Answers with the file as small as the client takes it, or 304 to who has it. */
  async answer(request: Request): Promise<Response> {
    const encoding = bestEncoding(request.headers.get("accept-encoding") ?? "");
    // Each encoding is other bytes, so it has another tag.
    const etag = `"${this.#etag}${encoding ? `-${encoding}` : ""}"`;
    const headers = new Headers({
      "content-type": this.#type,
      "cache-control": "no-cache",
      vary: "accept-encoding",
      etag,
      ...this.#headers,
    });
    if (request.headers.get("if-none-match") === etag) {
      return new Response(null, { status: 304, headers });
    }
    if (encoding) headers.set("content-encoding", encoding);
    return new Response(encoding ? await this.#compress(encoding) : this.#bytes, { headers });
  }

  #compress(encoding: Encoding): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#compressed.get(encoding);
    if (known) return known;
    const compressed = COMPRESS[encoding](this.#bytes).then((bytes) => Uint8Array.from(bytes));
    this.#compressed.set(encoding, compressed);
    return compressed;
  }
}

// Brotli's best takes a minute for GraphiQL; this takes a blink and is smaller than gzip still.
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
const COMPRESS = {
  br: (bytes: Uint8Array) => promisify(brotliCompress)(bytes, BROTLI),
  gzip: (bytes: Uint8Array) => promisify(gzip)(bytes),
};
type Encoding = keyof typeof COMPRESS;

function bestEncoding(accepted: string): Encoding | undefined {
  const names = accepted.split(",").filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map((part) => part.split(";")[0]!.trim());
  return (["br", "gzip"] as const).find((encoding) => names.includes(encoding));
}
