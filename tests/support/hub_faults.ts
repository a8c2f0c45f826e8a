import type { Fault, Seen } from "./hub.ts";

/** Which requests a fault is for. */
export type Where = (seen: Seen) => boolean;

/** Requests for a file's bytes, from whichever host. */
export function bytes({ host, path, method }: Seen): boolean {
  return method === "GET" && (host === "cdn" || path.includes("/resolve/"));
}

/** Requests for the bytes of large files. */
export function cdn({ host }: Seen): boolean {
  return host === "cdn";
}

/** Requests about a revision. */
export function api({ path }: Seen): boolean {
  return path.startsWith("/api/");
}

/** A fault for the first `times` requests there. */
export function first(times: number, where: Where, fault: Fault): Fault {
  let left = times;
  return (seen, normal) => {
    if (!where(seen) || left === 0) return undefined;
    left--;
    return fault(seen, normal);
  };
}

/** A fault for every request there. */
export function always(where: Where, fault: Fault): Fault {
  return first(Infinity, where, fault);
}

/** Answers with a status. */
export function status(code: number, headers: Record<string, string> = {}): Fault {
  return () => new Response("no", { status: code, headers });
}

/** Sends one byte otherwise than it is. */
export function flip(at: number): Fault {
  return async (_, normal) => {
    const response = await normal();
    const body = await response.bytes();
    body[at]! ^= 1;
    return new Response(body, response);
  };
}

/** Sends the first bytes, then nothing more: with a Content-Length a broken connection, without one an end. */
export function cut(after: number, { hasLength }: { hasLength: boolean }): Fault {
  return async (_, normal) => {
    const response = await normal();
    const body = (await response.bytes()).subarray(0, after);
    const headers = new Headers(response.headers);
    if (!hasLength) headers.delete("content-length");
    const stream = new ReadableStream({
      async start(controller) {
        controller.enqueue(body);
        await new Promise((resolve) => setTimeout(resolve, 20)); // what came is on its way
        controller.close();
      },
    });
    return new Response(stream, { status: response.status, headers });
  };
}

/** Sends all where a part was asked for. */
export function wholeForPart(): Fault {
  return (_, normal) => normal((headers) => headers.delete("range"));
}

/** Sends a part of another version than the one that was asked for. */
export function otherVersion(): Fault {
  return async (_, normal) => {
    const { body, status, headers } = await normal((asked) => asked.delete("if-range"));
    const changed = new Headers(headers);
    changed.set("etag", '"another"');
    return new Response(body, { status, headers: changed });
  };
}
