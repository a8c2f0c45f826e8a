import { parseRange } from "./byte_range.ts";
import { chooseCoding, type Coding, encodeBody } from "./content_coding.ts";
import { isKnown, mayBePart } from "./entity_tags.ts";

/** Bytes with a tag that identifies them, and their HTTP headers. */
export interface Representation {
  readonly type: string;
  /** The file name for browsers. */
  readonly filename: string;
  /** Identifies these bytes; without quotes. */
  readonly tag: string;
  /** Makes the bytes; called only if they are sent. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Answers a request with bytes, as far as the client does not have them: 304 if the client has them, a part for a
 * range request (RFC 9110, 13 and 14), else compressed as the client prefers. Parts are of the uncompressed bytes.
 *
 * @throws What `bytes` throws.
 */
export async function respond(
  request: Request,
  representation: Representation,
): Promise<Response> {
  const { type, filename, tag } = representation;
  const asked = request.headers;
  const isRead = request.method === "GET" || request.method === "HEAD";
  const range = request.method === "GET" ? asked.get("range") : null;
  const coding = range === null ? chooseCoding(asked.get("accept-encoding")) : "identity";
  const etag = tagOf(tag, coding);
  const headers = new Headers({
    "accept-ranges": "bytes",
    "cache-control": "no-cache",
    etag,
    vary: "accept-encoding",
  });
  if (isRead && isKnown(asked.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  headers.set("content-type", type);
  headers.set("content-disposition", `attachment; filename="${filename}"`);

  const bytes = await representation.bytes();
  if (coding !== "identity") {
    headers.set("content-encoding", coding);
    if (request.method === "HEAD") return new Response(null, { headers });
    const body = encodeBody(bytes, coding);
    if (body instanceof Uint8Array) headers.set("content-length", String(body.length));
    return new Response(body, { headers });
  }
  const part = parseRange(mayBePart(asked.get("if-range"), etag) ? range : null, bytes.length);
  if (part === "unsatisfiable") {
    headers.set("content-range", `bytes */${bytes.length}`);
    for (const name of ["content-type", "content-disposition"]) headers.delete(name);
    return new Response(null, { status: 416, headers });
  }
  if (part === "whole") {
    headers.set("content-length", String(bytes.length));
    return new Response(request.method === "HEAD" ? null : bytes, { headers });
  }
  const { first, last } = part;
  headers.set("content-length", String(last + 1 - first));
  headers.set("content-range", `bytes ${first}-${last}/${bytes.length}`);
  return new Response(bytes.subarray(first, last + 1), { status: 206, headers });
}

/** Other bytes, another tag: strong tags are of what is sent (RFC 9110, 8.8.3.3). */
function tagOf(tag: string, coding: Coding): string {
  return coding === "identity" ? `"${tag}"` : `"${tag}.${coding}"`;
}
