import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { listen, type ListenOptions, type RequestHandler } from "../../src/server/http/listen.ts";

const PATIENCE_MS = 20_000;

async function withListener(
  fetch: RequestHandler["fetch"],
  options: Partial<ListenOptions>,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const listener = await listen({ fetch }, { host: "127.0.0.1", port: 0, ...options });
  try {
    await use(listener.port);
  } finally {
    await listener.shutdown();
  }
}

async function send(port: number, text: string): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text.replaceAll("\n", "\r\n")));
  return connection;
}

/** What arrives until the server closes the connection. */
async function rest(connection: Deno.TcpConn): Promise<string> {
  return await new Response(connection.readable).text();
}

async function within(promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise((_, reject) =>
    timer = setTimeout(() => reject(new Error("too late")), PATIENCE_MS)
  );
  await Promise.race([promise, tooLate]).finally(() => clearTimeout(timer));
}

Deno.test("an answer that is not read is broken off after a while, and its body is cancelled", () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>();
  const body = () =>
    new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(2 ** 20)),
      cancel: () => resolve(),
    });
  return withListener(
    () => Promise.resolve(new Response(body())),
    { stallMs: 300 },
    async (port) => {
      const connection = await send(port, "GET / HTTP/1.1\nHost: a\n\n");
      await within(cancelled);
      connection.close();
    },
  );
});

Deno.test("an answer that is read slowly is not broken off", () => {
  const bytes = new Uint8Array(12 * 2 ** 20);
  return withListener(
    () => Promise.resolve(new Response(bytes)),
    { stallMs: 1000 },
    async (port) => {
      const connection = await send(port, "GET / HTTP/1.1\nHost: a\nConnection: close\n\n");
      const buffer = new Uint8Array(2 ** 20);
      let count = 0;
      for (let read = await connection.read(buffer); read !== null;) {
        count += read;
        if (count < 4 * 2 ** 20) await new Promise((go) => setTimeout(go, 20)); // then the rest at once
        read = await connection.read(buffer);
      }
      connection.close();
      assert(count > bytes.length, `${count} of ${bytes.length}`);
    },
  );
});

for (const method of ["GET", "POST"]) {
  Deno.test(`a client that leaves is told by the signal: ${method}`, () => {
    const { promise: left, resolve } = Promise.withResolvers<void>();
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
    const answer = async (request: Request): Promise<Response> => {
      request.signal.addEventListener("abort", () => resolve());
      await request.text();
      isAsked();
      await left;
      return new Response("nobody reads this");
    };
    return withListener(answer, {}, async (port) => {
      const connection = await send(port, `${method} / HTTP/1.1\nHost: a\nContent-Length: 4\n\nab`);
      await connection.write(new TextEncoder().encode("cd"));
      await within(asked);
      connection.close();
      await within(left);
    });
  });
}

Deno.test("a head, and a body, that come too slowly end the connection", () =>
  withListener(
    async (request) => new Response(await request.text()),
    { arrivalMs: 300 },
    async (port) => {
      const head = await send(port, "GET / HTTP/1.1\nHost");
      await within(rest(head).then((text) => assert.match(text, /^HTTP\/1.1 408 /)));
      const body = await send(port, "POST / HTTP/1.1\nHost: a\nContent-Length: 9\n\nabc");
      await within(rest(body).catch(() => {}));
    },
  ));

Deno.test("the last connection that there is room for is answered, the next is closed, and then there is room again", () =>
  withListener(
    () => Promise.resolve(new Response("fine")),
    { mostConnections: 3 },
    async (port) => {
      const open = [];
      for (let i = 0; i < 3; i++) open.push(await send(port, "GET / HTTP/1.1\nHost: a\n\n"));
      for (const connection of open) {
        assert(await connection.read(new Uint8Array(1000)) !== null);
      }
      const next = await send(port, "GET / HTTP/1.1\nHost: a\n\n").catch(() => undefined);
      const read = await next?.read(new Uint8Array(1000)).catch(() => null);
      assert(read === null || read === undefined, "it is not answered");
      next?.close();
      for (const connection of open) connection.close();
      for (let tries = 0; tries < 100; tries++) {
        const again = await send(port, "GET / HTTP/1.1\nHost: a\nConnection: close\n\n");
        if ((await rest(again).catch(() => "")).endsWith("fine")) return;
        await new Promise((go) => setTimeout(go, 50));
      }
      assert.fail("no connection is accepted any more");
    },
  ));

Deno.test("a body of any length arrives whole, in however many pieces it comes", () =>
  withListener(
    async (request) => new Response(await request.bytes()),
    {},
    async (port) => {
      for (let length = 1; length < 300_000; length += 7993) {
        const body = Uint8Array.from({ length }, (_, at) => at % 251);
        const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body });
        assert.deepEqual(await response.bytes(), body, `${length} bytes`);
      }
    },
  ));

Deno.test("a body that came with its head is no stream, and any other is one", () =>
  withListener(
    async (request) => new Response(`${request.method} ${await request.text()}`),
    {},
    async (port) => {
      const toWeb = Readable.toWeb;
      let streams = 0;
      Readable.toWeb = ((...args: Parameters<typeof toWeb>) => {
        streams++;
        return toWeb(...args);
      }) as typeof toWeb;
      try {
        const head = "POST / HTTP/1.1\nHost: a\nConnection: close\nContent-Length: ";
        for (const body of ["words", ""]) {
          const answer = await rest(await send(port, `${head}${body.length}\n\n${body}`));
          assert.equal(answer.split("\r\n\r\n")[1], `POST ${body}`);
        }
        assert.equal(streams, 0);
        const connection = await send(port, `${head}5\n\nwo`);
        await new Promise((resolve) => setTimeout(resolve, 100));
        await connection.write(new TextEncoder().encode("rds"));
        assert.equal((await rest(connection)).split("\r\n\r\n")[1], "POST words");
        assert.equal(streams, 1);
      } finally {
        Readable.toWeb = toWeb;
      }
    },
  ));
