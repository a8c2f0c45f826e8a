import assert from "node:assert/strict";

/** What a server is asked over real sockets, and what it must be when nobody is connected. */
export class Client {
  readonly origin: string;
  readonly #port: number;

  constructor(origin: string) {
    this.origin = origin;
    this.#port = Number(new URL(origin).port);
  }

  /** Asks a path, and reads the answer. */
  async get(path: string, init: RequestInit = {}): Promise<{ status: number; text: string }> {
    const response = await fetch(this.origin + path, init);
    return { status: response.status, text: await response.text() };
  }

  /** The Arrow of a prompt's flow. */
  flow(prompt: string, more = ""): Promise<{ status: number; text: string }> {
    return this.get(`/info-flow.arrow?prompt=${encodeURIComponent(prompt)}${more}`);
  }

  /** Asks in GraphQL. */
  async query(
    query: string,
    variables: Record<string, unknown> = {},
    signal: AbortSignal | null = null,
    // deno-lint-ignore no-explicit-any -- whatever was asked for
  ): Promise<any> {
    const response = await fetch(`${this.origin}/graphql`, {
      signal,
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    return await response.json();
  }

  /** A connection of its own. */
  connect(): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.#port });
  }

  /** The bytes of a request: its head, with `Host`, and its body. */
  request(head: string, body: Uint8Array = new Uint8Array()): Uint8Array {
    const whole = head.replace("\n", `\nHost: 127.0.0.1:${this.#port}\n`).replaceAll("\n", "\r\n");
    return Uint8Array.from([...new TextEncoder().encode(whole), ...body]);
  }

  /** Sends a request as it stands, and does not read the answer. */
  async send(request: string | Uint8Array): Promise<Deno.TcpConn> {
    const connection = await this.connect();
    const bytes = typeof request === "string" ? this.request(request) : request;
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    return connection;
  }

  /** Sends a request as it stands, and reads the answer until the server closes the connection. */
  async exchange(request: string): Promise<string> {
    const connection = await this.connect();
    await connection.write(new TextEncoder().encode(request.replaceAll("\n", "\r\n")));
    return await new Response(connection.readable).text();
  }

  /** A number of /metrics. */
  async metric(name: string): Promise<number> {
    const { text } = await this.get("/metrics");
    const line = text.split("\n").find((line) => new RegExp(`^${name}[ {]`).test(line));
    assert(line, name);
    return Number(line.slice(line.lastIndexOf(" ")));
  }

  /** How long /healthz takes at most while something runs, in ms. */
  async slowestHealth(during: Promise<unknown>): Promise<number> {
    let isOver = false;
    during.finally(() => isOver = true).catch(() => {});
    let worst = 0;
    while (!isOver) {
      const began = performance.now();
      await this.get("/healthz");
      worst = Math.max(worst, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await during;
    return worst;
  }

  /** With nobody connected nothing waits, nothing is open, nothing is at the worker, and no answer takes room. */
  async assertQuiet(): Promise<void> {
    const names = ["queue_length", "worker_requests", "answer_bytes", "open_requests"];
    const began = performance.now();
    for (;;) {
      const found: number[] = [];
      for (const name of names) found.push(await this.metric(`infoflow_${name}`));
      // The question itself is open.
      if (found.join() === "0,0,0,1") return;
      const seconds = (performance.now() - began) / 1000;
      assert(seconds < 20, `after ${seconds.toFixed(0)} s: ${names} are ${found}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A prompt of a number of words, each a token; another seed, another prompt. */
export function words(count: number, seed = 0): string {
  const letters = "abcdefghijklmnopqrstuvwxyz";
  return Array.from({ length: count }, (_, i) => letters[(i * i + seed * (i + 1)) % 26]).join(" ");
}
