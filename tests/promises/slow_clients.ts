// Slow clients and long work hold up neither others nor the thread that answers.
import assert from "node:assert/strict";
import { words } from "./client.ts";
import { LIMITS, LONG, type Promised, SLACK_MS, wait } from "./served.ts";

/** What a connection says until the server closes it. */
async function rest(connection: Deno.TcpConn): Promise<string> {
  return await new Response(connection.readable).text().catch(() => "broken off");
}

async function within<T>(promise: Promise<T>, seconds: number): Promise<T> {
  const late = wait(1000 * seconds).then(() => assert.fail(`not within ${seconds} s`));
  return await Promise.race([promise, late]);
}

export const SLOW_CLIENTS: Readonly<Record<string, Promised>> = {
  "an answer that is not read is broken off, one that is read slowly is not": async (
    { client, context, heads },
  ) => {
    const length = Math.min(context - 6, Math.floor(Math.sqrt(12e6 / 4 / heads)));
    const link = `/attention.arrow?prompt=${words(length, 1).replaceAll(" ", "+")}`;
    const request = `GET ${link} HTTP/1.1\nConnection: close\n\n`;
    assert.equal((await client.get(link)).status, 200);
    const [stalled, slow] = [await client.send(request), await client.send(request)];
    const buffer = new Uint8Array(2 ** 20);
    let bytes = 0;
    for (;;) {
      const read = await slow.read(buffer);
      if (read === null) break;
      bytes += read;
      await wait(Math.min(300, read / 1000)); // for about twice as long as the other is waited for
    }
    slow.close();
    assert(bytes > 10e6, `${bytes} bytes were read slowly`);
    await within(client.assertQuiet(), 2 * LIMITS.patience + 2);
    stalled.close();
  },
  "a request that comes too slowly is ended, its head or its body": async ({ client }) => {
    const began = performance.now();
    const head = await client.connect();
    await head.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nHost: a"));
    const drip = setInterval(() => void head.write(Uint8Array.of(97)).catch(() => {}), 200);
    const body = await client.send("POST /graphql HTTP/1.1\ncontent-length: 9\n\nabc");
    assert.match(await within(rest(head), LIMITS.patience + 5), /^HTTP\/1.1 408 |broken off/);
    clearInterval(drip);
    await within(rest(body), LIMITS.patience + 5);
    assert(performance.now() - began > 1000 * LIMITS.patience - 100);
  },
  "a long text is read off the thread that answers, once": async ({ client, context }) => {
    const prompt = "ÃÂ".repeat(32 * (context - 1));
    const query = `query ($p: String!) { ${
      Array.from({ length: 15 }, (_, i) => `a${i}: infoFlow(prompt: $p) { id }`)
    } }`;
    const worst = await client.slowestHealth(client.query(query, { p: prompt }));
    // 50 ms on a machine of its own; once for each name it would be 2.7 s.
    assert(worst < SLACK_MS, `/healthz took ${worst} ms`);
  },
  "/readyz says busy while the device works": async ({ client }) => {
    const seen = new Set<string>();
    let isOver = false;
    const work = client.flow(words(60, 3), "&method=VALUE_ZEROING").finally(() => isOver = true);
    while (!isOver) seen.add((await client.get("/readyz")).text.trim());
    assert.equal((await work).status, 200);
    assert(seen.has("busy"), [...seen].join());
    assert.deepEqual([...seen].filter((state) => !["ready", "busy"].includes(state)), []);
  },
  "known prompts don't keep a new one waiting": async ({ client, timeOfLong }) => {
    assert.equal((await client.flow(words(LONG, 4))).status, 200);
    let isOver = false;
    const known = Array.from({ length: 4 }, async () => {
      while (!isOver) assert.equal((await client.flow(words(LONG, 4))).status, 200);
    });
    const began = performance.now();
    assert.equal((await client.flow(words(LONG, 5))).status, 200);
    const took = performance.now() - began;
    isOver = true;
    await Promise.all(known);
    assert(took < 4 * timeOfLong + SLACK_MS, `${took} ms, alone ${timeOfLong}`);
  },
  "a VALUE_ZEROING that waits holds up no cached answers": async (
    { client },
  ) => {
    const prompts = Array.from({ length: 15 }, (_, i) => words(10, 300 + i));
    for (const prompt of prompts) assert.equal((await client.flow(prompt)).status, 200);
    // One is at work, one waits.
    let zeroed = 0;
    const zeroings = [1, 2].map(async (seed) => {
      const { status } = await client.flow(words(60, 400 + seed), "&method=VALUE_ZEROING");
      zeroed++;
      return status;
    });
    const cached = await Promise.all(prompts.map((prompt) => client.flow(prompt)));
    assert(zeroed < 2, "fifteen cached answers took longer than two zeroings of 60 tokens");
    assert.deepEqual([...new Set(cached.map(({ status }) => status))], [200]);
    assert.deepEqual(await Promise.all(zeroings), [200, 200]);
  },
};
