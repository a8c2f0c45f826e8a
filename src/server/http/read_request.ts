import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { InfoflowError } from "../../errors.ts";

/** A name or an address, IPv6 in brackets, and perhaps a port (RFC 9110, 7.2). */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/i;
const MOST_PORT = 65_535;

/** Methods that have no place here and that `Request` can't carry. */
const IMPOSSIBLE = ["CONNECT", "TRACE", "TRACK"];

/**
 * Makes a `Request` of what Node's parser read.
 *
 * @param host The server's name if the client gives none, as in HTTP/1.0.
 * @param signal Aborted when the client went away.
 * @throws {InfoflowError} BAD_USER_INPUT if its target or its Host is malformed; METHOD_NOT_ALLOWED.
 */
export function readRequest(message: IncomingMessage, host: string, signal: AbortSignal): Request {
  const method = message.method ?? "GET";
  if (IMPOSSIBLE.includes(method)) {
    throw new InfoflowError("METHOD_NOT_ALLOWED", `Cannot answer ${method}`, {
      allow: "GET, HEAD, POST, OPTIONS",
    });
  }
  const headers = readHeaders(message);
  const hosts = message.rawHeaders.filter((name, at) => at % 2 === 0 && /^host$/i.test(name));
  if (hosts.length > 1) throw malformed("it must have one Host", `${hosts.length} of them`);
  const url = readUrl(message.url ?? "/", headers.get("host") ?? host);
  const hasBody = method !== "GET" && method !== "HEAD";
  return new Request(url, { method, headers, body: hasBody ? readBody(message) : null, signal });
}

/**
 * A body that came with its head is there once the parser is done, which is before the next microtask; any other is a
 * stream.
 */
function readBody(message: IncomingMessage): BodyInit | null {
  const length = Number(message.headers["content-length"] ?? NaN);
  if (message.complete && message.readableLength === length) {
    // Without a length, the first piece alone would be read.
    return message.read(length) as Uint8Array<ArrayBuffer> | null;
  }
  // Node and Deno declare different types for the same streams.
  return Readable.toWeb(message) as unknown as ReadableStream<Uint8Array>;
}

function readHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    try {
      headers.append(rawHeaders[at]!, rawHeaders[at + 1]!);
    } catch {
      throw malformed("its headers must be of HTTP's characters", rawHeaders[at]!);
    }
  }
  return headers;
}

/** The target as the server is meant to see it: a path, or, as proxies are asked, a whole URL (RFC 9112, 3.2). */
function readUrl(target: string, host: string): URL {
  const port = host.match(HOST)?.[1];
  if (!HOST.test(host) || Number(port ?? 0) > MOST_PORT) {
    throw malformed("its Host must be a name or an address, and perhaps a port", host);
  }
  if (!/^(\/|https?:\/\/)/i.test(target)) {
    throw malformed("its target must be a path, or an http or https URL", target);
  }
  const url = URL.parse(target.startsWith("/") ? `http://${host}${target}` : target);
  if (url) return url;
  throw malformed("its Host and its target must make a URL", `${host} and ${target}`);
}

function malformed(rule: string, value: string): InfoflowError {
  const shown = JSON.stringify(value.slice(0, 100));
  return new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot read the request as ${rule}: current value is ${shown}`,
  );
}
