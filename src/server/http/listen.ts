import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { asMeant, InfoflowError } from "../../errors.ts";
import { tracedRequest } from "../observe/trace.ts";
import { problem } from "./problem.ts";
import { readRequest } from "./read_request.ts";
import { sendResponse } from "./send_response.ts";
import { SIZE_LIMITS } from "./size_limits.ts";

/** The handler of requests. */
export interface RequestHandler {
  fetch(request: Request): Promise<Response>;
}

/** Where to listen, and the limits of a connection. */
export interface ListenOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Connections that may be open at once; the next is closed. */
  readonly mostConnections?: number | undefined;
  /** How long a request may take to arrive, its head and its body, in ms. */
  readonly arrivalMs?: number | undefined;
  /** An answer is aborted if its client reads nothing for this long, in ms. */
  readonly stallMs?: number | undefined;
}

/** A server that listens. */
export interface Listener {
  readonly hostname: string;
  readonly port: number;
  /** Accepts no more connections, and waits until open requests are answered. */
  shutdown(): Promise<void>;
}

/** The most connections by default. */
export const MOST_CONNECTIONS = 512;
/** How long a client is waited for by default, in ms. */
export const PATIENCE_MS = 30_000;
/** An idle connection is kept for this long. */
const IDLE_MS = 15_000;
/**
 * A client may ask so often on a connection before the first is answered, and have so many bytes lie unread while it asks
 * on. Node's server would take any number, and keep all answers.
 */
const MOST_PIPELINED = 32;
const MOST_UNSENT = 2 ** 20;
/** How often the times above are checked. */
const CHECK_MS = 1000;
/** How often a server that ends looks for connections that have become idle. */
const SWEEP_MS = 50;
/**
 * Connections that wait to be accepted. Node's server accepts all of them before it closes those that are too many, so
 * this many descriptors may be taken beyond the limit of connections.
 */
export const BACKLOG = 32;
/** Room for a longer URL and larger headers, so that the app can refuse them with a clear error. */
const HEAD_BYTES = 2 * (SIZE_LIMITS.url + SIZE_LIMITS.headers);

/**
 * Listens on an address, and hands its requests on. It is Node's server, because Deno's has no limit of connections and
 * no time limits, and does not tell when a client that posts goes away.
 *
 * @throws {Error} If the address can't be had.
 */
export async function listen(handler: RequestHandler, options: ListenOptions): Promise<Listener> {
  const { host, port, mostConnections = MOST_CONNECTIONS, stallMs = PATIENCE_MS } = options;
  const arrivalMs = options.arrivalMs ?? PATIENCE_MS;
  const server = createServer({
    maxHeaderSize: HEAD_BYTES,
    headersTimeout: arrivalMs,
    requestTimeout: arrivalMs,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: CHECK_MS,
  });
  server.maxHeadersCount = 0; // their bytes are limited
  server.maxConnections = mostConnections;
  let name = host;
  const sockets = new Map<Socket, number>(); // how many requests are under way on each
  const count = (socket: Socket, more: 1 | -1): void => {
    const requests = sockets.get(socket);
    if (requests !== undefined) sockets.set(socket, requests + more);
  };
  server.on("connection", (socket: Socket) => {
    sockets.set(socket, 0);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("request", (message: IncomingMessage, to: ServerResponse) => {
    const { socket } = message;
    if (socket.destroyed) return;
    const isTooMuch = (sockets.get(socket) ?? 0) >= MOST_PIPELINED ||
      socket.writableLength > MOST_UNSENT;
    if (isTooMuch) return void socket.destroy();
    count(socket, 1);
    answer(message, to).catch(() => to.destroy()).finally(() => count(socket, -1));
  });
  server.on("clientError", refuseHead);

  const answer = async (message: IncomingMessage, to: ServerResponse): Promise<void> => {
    const client = new AbortController();
    to.once("close", () => {
      if (!to.writableFinished) client.abort();
    });
    message.on("error", () => {}); // who went away is told by "close"
    const response = await respond(message, client.signal);
    // A body that was refused unread is still coming: on this connection no other request can follow it.
    if (!message.complete) {
      to.shouldKeepAlive = false;
      message.resume();
    }
    await sendResponse(response, to, stallMs);
  };
  const respond = async (message: IncomingMessage, signal: AbortSignal): Promise<Response> => {
    try {
      if (message.headers["content-length"] !== undefined) await Promise.resolve(); // see `readBody`
      const request = readRequest(message, name, signal);
      return await tracedRequest(request, () => handler.fetch(request));
    } catch (error) {
      const known = asMeant(error);
      if (known instanceof InfoflowError) return problem(known, message.url ?? "/");
      throw error;
    }
  };

  await bind(server, host, port);
  const address = server.address() as { address: string; port: number };
  name = `${
    address.address.includes(":") ? `[${address.address}]` : address.address
  }:${address.port}`;
  return {
    hostname: address.address,
    port: address.port,
    shutdown: () => shutdown(server, sockets),
  };
}

async function bind(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: host.replace(/^\[(.*)\]$/, "$1"), port, backlog: BACKLOG }, resolve);
  try {
    await promise;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    throw new Error(
      code === "EADDRINUSE"
        ? `Cannot listen on ${host}:${port} as another program does: choose another --port, or 0 for a free one`
        : `Cannot listen on ${host}:${port}: ${message}`,
    );
  } finally {
    server.off("error", reject);
  }
}

/** Answers a request that is not HTTP, or came too slowly, with a short status line. */
function refuseHead(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const [status, code] = error.code === "HPE_HEADER_OVERFLOW"
    ? ["431 Request Header Fields Too Large", "HEADERS_TOO_LARGE"]
    : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
    ? ["408 Request Timeout", "DEADLINE_EXCEEDED"]
    : ["400 Bad Request", "BAD_USER_INPUT"];
  const body = JSON.stringify({ code, title: "Cannot read the request" });
  socket.end([
    `HTTP/1.1 ${status}`,
    "connection: close",
    "content-type: application/problem+json",
    `content-length: ${body.length}`,
    "",
    body,
  ].join("\r\n"));
}

/**
 * Connections that become idle after the server was closed are not closed with it; nor are those on which nothing was
 * asked yet.
 */
async function shutdown(server: Server, sockets: ReadonlyMap<Socket, number>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  const closeIdle = (): void => {
    server.closeIdleConnections();
    for (const [socket, requests] of sockets) {
      // An answer that was handed to the system is sent before the end.
      if (requests === 0 && socket.writableLength === 0) socket.destroy();
    }
  };
  const sweep = setInterval(closeIdle, SWEEP_MS);
  closeIdle();
  await promise;
  clearInterval(sweep);
}
