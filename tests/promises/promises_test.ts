// The promises of docs/reliability.md, each asked of the process that `deno task serve` starts, over real sockets. After
// each, with nobody connected, nothing of it must be left.
import assert from "node:assert/strict";
import { MANY_HEADS, withLongModel } from "../soak/model.ts";
import { withServer } from "../support/serve.ts";
import { Client, words } from "./client.ts";

/** Small enough that a test reaches them. */
const LIMITS = {
  "--max-connections": "48",
  "--max-waiting": "24",
  "--max-answer-mib": "20",
  "--max-in-flight-mib": "48",
  "--deadline": "15",
};
/** What a test machine that does other work besides adds to any time, in ms. */
const SLACK_MS = 1500;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Promised = (client: Client, timeOfLong: number) => Promise<void>;

/** Clients that leave half a second after they asked. */
async function leave(client: Client, requests: readonly string[]): Promise<void> {
  const connections = await Promise.all(requests.map((request) => client.send(request)));
  await wait(500);
  for (const connection of connections) connection.close();
}

function post(body: string): string {
  return `POST /graphql HTTP/1.1\ncontent-type: application/json\ncontent-length: ${body.length}\n\n${body}`;
}

async function nextIsQuick(client: Client, timeOfLong: number): Promise<void> {
  const began = performance.now();
  assert.equal((await client.flow("who comes next")).status, 200);
  const took = performance.now() - began;
  assert(took < 4 * timeOfLong + SLACK_MS, `${took} ms, and a long prompt takes ${timeOfLong}`);
}

const LONG = 200;

const PROMISES: Readonly<Record<string, Promised>> = {
  "who leaves by GET takes their work with them": async (client, timeOfLong) => {
    const links = ["/info-flow.arrow", "/logit-lens.arrow", "/info-flow.arrow"].flatMap((path, n) =>
      Array.from({ length: 8 }, (_, i) => {
        const prompt = words(LONG, 10 * n + i).replaceAll(" ", "+");
        const method = n === 2 ? "&method=ALTI" : "";
        return `GET ${path}?prompt=${prompt}${method} HTTP/1.1\n\n`;
      })
    );
    await leave(client, links);
    await nextIsQuick(client, timeOfLong);
  },
  "who leaves by POST takes their work with them": async (client, timeOfLong) => {
    const bodies = Array.from({ length: 20 }, (_, i) => {
      const prompt = words(LONG, 50 + i);
      const query = `{ infoFlow(prompt: "${prompt}") { cacheHit } }`;
      return post(JSON.stringify({ query }));
    });
    await leave(client, bodies);
    await nextIsQuick(client, timeOfLong);
  },
  "a field that failed gives up the others": async (client, timeOfLong) => {
    const others = [1, 2, 3].map((i) =>
      `a${i}: infoFlow(prompt: "${words(900, 70 + i)}") { cacheHit }`
    );
    const { data, errors } = await client.query(`{ ${others} bad: infoFlow(prompt: "") { id } }`);
    assert.equal(data, null);
    assert.equal(errors[0].extensions.code, "PROMPT_EMPTY");
    await nextIsQuick(client, timeOfLong);
  },
  "what can't be done by the deadline is refused with the estimate before it starts": async (
    client,
  ) => {
    const began = performance.now();
    const { status, text } = await client.flow(words(900), "&method=VALUE_ZEROING");
    assert.equal(status, 413, text);
    const { code, estimate, limit } = JSON.parse(text);
    assert.equal(code, "MATRIX_TOO_LARGE");
    assert(estimate > limit || limit === 1.5e12, text);
    assert(performance.now() - began < 5000);
  },
  "the bytes of an answer are counted before anything is computed": async (client) => {
    // 1,000 x 1,000 numbers are 4 MB: five of them are below 20 MiB, six are not.
    const query = (count: number): string =>
      `query ($p: String!) { ${
        Array.from({ length: count }, (_, i) => `a${i}: infoFlow(prompt: $p) { matrix { arrow } }`)
      } }`;
    const variables = { p: words(1000) };
    const misses = await client.metric("infoflow_cache_misses");
    const { errors } = await client.query(query(6), variables);
    const { code, bytes, limit } = errors[0].extensions;
    assert.deepEqual([code, bytes, limit], ["MATRIX_TOO_LARGE", 24_000_000, 20 * 2 ** 20]);
    assert.equal(await client.metric("infoflow_cache_misses"), misses);
    const { data } = await client.query(query(5), variables);
    assert.equal(Object.keys(data).length, 5);
  },
  "answers that nobody reads take room, and beyond it there is OVERLOADED": async (client) => {
    const link = `/info-flow.arrow?prompt=${words(600).replaceAll(" ", "+")}&byLayer=true`;
    assert.equal((await client.get(link)).status, 200); // 17.3 MB: two fit into 48 MiB, three do not
    const stalled: Deno.TcpConn[] = [];
    for (let i = 0; i < 2; i++) stalled.push(await client.send(`GET ${link} HTTP/1.1\n\n`));
    while (await client.metric("infoflow_answer_bytes") < 2 * 17_000_000) await wait(20);
    const { status, text } = await client.get(link);
    assert.deepEqual([status, JSON.parse(text).code], [503, "OVERLOADED"]);
    for (const connection of stalled) connection.close();
    await client.assertQuiet();
    assert.equal((await client.get(link)).status, 200);
  },
  "connections have a number, and the next is closed": async (client) => {
    const open: Deno.TcpConn[] = [];
    for (let i = 0; i < 60; i++) open.push(await client.connect());
    await wait(200);
    const ended = await Promise.all(open.map(async (connection) => {
      const end = connection.read(new Uint8Array(1)).then(() => true, () => true);
      return await Promise.race([end, wait(300).then(() => false)]);
    }));
    const kept = ended.filter((isEnded) => !isEnded).length;
    assert(kept > 30 && kept <= 48, `${kept} of 60 are open`);
    for (const connection of open) connection.close();
    await wait(100);
    assert.equal((await client.get("/healthz")).status, 200);
  },
  "a long text is read off the thread that answers, once": async (client) => {
    const prompt = "ÃÂ".repeat(32_736);
    const query = `query ($p: String!) { ${
      Array.from({ length: 15 }, (_, i) => `a${i}: infoFlow(prompt: $p) { id }`)
    } }`;
    const worst = await client.slowestHealth(client.query(query, { p: prompt }));
    // 50 ms on a machine of its own; once for each name it would be 2.7 s.
    assert(worst < SLACK_MS, `/healthz took ${worst} ms`);
  },
  "the texts of a request have 131,072 characters at most": async (client) => {
    const query =
      "query ($a: String!, $b: String!) { a: tokens(prompt: $a) { id } b: tokens(prompt: $b) { id } }";
    const [a, b] = ["a".repeat(65_536), "b".repeat(65_536)];
    assert.equal(
      (await client.query(query, { a, b })).errors[0].extensions.code,
      "PROMPT_TOO_LONG",
    );
    const { errors } = await client.query(query, { a, b: `${b}b` });
    assert.deepEqual(errors[0].extensions, {
      code: "BAD_USER_INPUT",
      characters: 131_073,
      limit: 131_072,
    });
  },
  "/readyz says busy while the device works": async (client) => {
    const work = client.flow(words(900, 3), "&method=ALTI");
    const seen = new Set<string>();
    while (!seen.has("busy")) seen.add((await client.get("/readyz")).text.trim());
    assert.equal((await work).status, 200);
    assert.deepEqual([...seen].filter((state) => !["ready", "busy"].includes(state)), []);
  },
  "known prompts don't keep a new one waiting": async (client, timeOfLong) => {
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
  "what a client gets wrong is told as its own fault, and 405 says what there is": async (
    client,
  ) => {
    const end = "Connection: close\n\n";
    const host = new URL(client.origin).host;
    const wrong = [
      `GET / HTTP/1.1\nHost: ::1\n${end}`,
      `GET / HTTP/1.1\nHost: a b\n${end}`,
      `GET / HTTP/1.1\nHost: localhost:99999\n${end}`,
      `GET / HTTP/1.1\nHost: ${host}\nHost: ${host}\n${end}`,
      `GET foo://127.0.0.1/graphql HTTP/1.1\nHost: ${host}\n${end}`,
      `GET /graphql?query={__typename}&variables={ HTTP/1.1\nHost: ${host}\n${end}`,
      `GET /graphql?query={__typename}&extensions=[ HTTP/1.1\nHost: ${host}\n${end}`,
      `no HTTP at all\n${end}`,
    ];
    for (const request of wrong) {
      const answer = await client.exchange(request);
      assert.match(answer, /^HTTP\/1.1 400 [\s\S]*BAD_USER_INPUT/, `${request} ${answer}`);
    }
    const accept = `GET /graphql?query={__typename} HTTP/1.1\nHost: ${host}\nAccept: a/b${
      ",".repeat(31_000)
    }\n${end}`;
    assert.match(
      (await client.exchange(accept)).slice(0, 1000),
      /^HTTP\/1.1 406 [\s\S]*BAD_USER_INPUT/,
    );
    const response = await fetch(`${client.origin}/routes.arrow`, { method: "DELETE" });
    await response.body?.cancel();
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
  },
};

Deno.test("the promises of docs/reliability.md hold for the process that serves", (test) =>
  withLongModel((model) =>
    withServer(async ({ origin, stop, log }) => {
      const client = new Client(origin);
      assert.equal((await client.flow(words(LONG, 999))).status, 200);
      const began = performance.now();
      assert.equal((await client.flow(words(LONG, 998))).status, 200);
      const timeOfLong = performance.now() - began;
      for (const [promise, isKept] of Object.entries(PROMISES)) {
        await test.step(promise, async () => {
          await isKept(client, timeOfLong);
          await client.assertQuiet();
        });
      }
      await test.step("nothing of it is a fault of the server's", () => {
        assert(!/INTERNAL_SERVER_ERROR|"event":"error"/.test(log()), log().slice(-2000));
      });
      await test.step("SIGHUP drains", async () => {
        assert.equal(await stop("SIGHUP"), 0);
      });
    }, { args: ["--model", model, ...Object.entries(LIMITS).flat()] }), MANY_HEADS));
