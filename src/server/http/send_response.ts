import type { ServerResponse } from "node:http";
import { isSmall, SMALL_ANSWER } from "./when_sent.ts";

/** Bytes that are written to the connection at once. */
const PIECE = 256 * 1024;
/** The same for a slow client, so that slow progress is noticed too. */
const SMALL_PIECE = 16 * 1024;
const SLOW_MS = 1000;

/**
 * Sends an answer as fast as the client reads it. If the client leaves, or reads nothing for a while, the connection is
 * closed and the answer's body is cancelled.
 *
 * @param stallMs A client that reads nothing for this long counts as gone.
 */
export async function sendResponse(
  response: Response,
  to: ServerResponse,
  stallMs: number,
): Promise<void> {
  const headers = [...response.headers].flat();
  if (isSmall(response)) return await sendAtOnce(response, headers, to);
  const reader = response.body?.getReader();
  if (!reader) {
    const hasLength = response.headers.has("content-length") ||
      [204, 304].includes(response.status);
    if (!hasLength && to.req.method !== "HEAD") headers.push("content-length", "0");
    return void to.writeHead(response.status, headers).end();
  }
  try {
    let chunk = await reader.read();
    let next = chunk.done ? undefined : reader.read();
    // A complete body has a length; a streamed one does not.
    const isWhole = next === undefined || await isDoneAtOnce(next);
    if (isWhole && !response.headers.has("content-length")) {
      headers.push("content-length", String(chunk.value?.length ?? 0));
    }
    if (isClosed(to)) return;
    to.writeHead(response.status, headers);
    const { value } = chunk;
    if (isWhole && value && value.length <= SMALL_ANSWER) return void to.end(value);
    while (!chunk.done) {
      await write(chunk.value, to, stallMs);
      if (isClosed(to)) return;
      chunk = await (next ?? reader.read());
      next = undefined;
    }
    to.end();
  } catch {
    to.destroy(); // a partial answer must not look complete
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Head and body in one write; the system's buffer takes both, whatever the client does. */
async function sendAtOnce(
  response: Response,
  headers: string[],
  to: ServerResponse,
): Promise<void> {
  try {
    const bytes = response.body ? await response.bytes() : undefined;
    if (isClosed(to)) return;
    to.writeHead(response.status, headers).end(bytes);
  } catch {
    to.destroy();
  }
}

function isClosed(to: ServerResponse): boolean {
  return to.destroyed || to.closed;
}

async function isDoneAtOnce(next: Promise<ReadableStreamReadResult<unknown>>): Promise<boolean> {
  next.catch(() => {}); // it is thrown where it is awaited next
  const { promise: turn, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, 0);
  const result = await Promise.race([next.catch(() => undefined), turn]);
  clearTimeout(timer);
  return result?.done === true;
}

async function write(chunk: Uint8Array, to: ServerResponse, stallMs: number): Promise<void> {
  let size = PIECE;
  let at = 0;
  while (at < chunk.length && !isClosed(to)) {
    const began = performance.now();
    const isTaken = to.write(chunk.subarray(at, at + size));
    at += size;
    if (!isTaken) await drained(to, stallMs);
    if (performance.now() - began > SLOW_MS) size = SMALL_PIECE;
  }
}

/** Waits until the client has read what was written, or left. */
async function drained(to: ServerResponse, stallMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => to.destroy(), stallMs);
  to.once("drain", resolve);
  to.once("close", resolve);
  try {
    if (!isClosed(to)) await promise;
  } finally {
    clearTimeout(timer);
    to.off("drain", resolve);
    to.off("close", resolve);
  }
}
