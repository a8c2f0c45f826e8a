import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { constants, createBrotliCompress, createGzip, createZstdCompress } from "node:zlib";
import { chooseCoding, type Coding, compressed } from "./content_coding.ts";
import { isKnown } from "./entity_tags.ts";

/** A file that is the same for all clients, compressed once, on its first request. */
export class StaticFile {
  readonly #type: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #etag: string;
  readonly #compressed = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  /**
   * @param text Its content.
   * @param type Its media type.
   * @param headers Further headers that it is always sent with.
   */
  constructor(text: string, type: string, headers: Readonly<Record<string, string>> = {}) {
    this.#bytes = new TextEncoder().encode(text);
    this.#type = type;
    this.#headers = headers;
    this.#etag = createHash("sha256").update(this.#bytes).digest("hex").slice(0, 32);
  }

  /** Answers with the file in the smallest coding that the client accepts, or 304 if the client has it. */
  async answer(request: Request): Promise<Response> {
    const coding = chooseCoding(request.headers.get("accept-encoding"));
    // Each coding is other bytes, so it has another tag.
    const etag = `"${this.#etag}${coding === "identity" ? "" : `-${coding}`}"`;
    const headers = new Headers({
      "content-type": this.#type,
      "cache-control": "no-cache",
      vary: "accept-encoding",
      etag,
      ...this.#headers,
    });
    if (isKnown(request.headers.get("if-none-match"), etag)) {
      return new Response(null, { status: 304, headers });
    }
    if (coding === "identity") return new Response(this.#bytes, { headers });
    headers.set("content-encoding", coding);
    return new Response(await this.#compress(coding), { headers });
  }

  #compress(coding: keyof typeof COMPRESSORS): Promise<Uint8Array<ArrayBuffer>> {
    const known = this.#compressed.get(coding);
    if (known) return known;
    const made = new Response(compressed(this.#bytes, COMPRESSORS[coding]())).bytes();
    this.#compressed.set(coding, made);
    return made;
  }
}

// The highest levels take a minute for GraphiQL; these take an instant and are nearly as small.
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 9 } };
const COMPRESSORS: Record<Exclude<Coding, "identity">, () => Duplex> = {
  br: () => createBrotliCompress(BROTLI),
  zstd: () => createZstdCompress(ZSTD),
  gzip: () => createGzip(),
};
