// Who leaves takes their work with them.
import assert from "node:assert/strict";
import { Table, tableToIPC, vectorFromArray } from "apache-arrow";
import { type Client, words } from "./client.ts";
import { LONG, type Promised, type Served, SLACK_MS, wait } from "./served.ts";

/** Clients that leave half a second after they asked. */
async function leave(client: Client, requests: readonly (string | Uint8Array)[]): Promise<void> {
  const connections = await Promise.all(requests.map((request) => client.send(request)));
  await wait(500);
  for (const connection of connections) connection.close();
}

async function nextIsQuick({ client, timeOfLong }: Served): Promise<void> {
  const began = performance.now();
  assert.equal((await client.flow("who comes next")).status, 200);
  const took = performance.now() - began;
  assert(took < 4 * timeOfLong + SLACK_MS, `${took} ms, and a long prompt takes ${timeOfLong}`);
}

async function rest(connection: Deno.TcpConn): Promise<string> {
  return await new Response(connection.readable).text().catch(() => "");
}

function post(body: string): string {
  return `POST /graphql HTTP/1.1\ncontent-type: application/json\ncontent-length: ${body.length}\n\n${body}`;
}

export const LEAVING: Readonly<Record<string, Promised>> = {
  "who leaves by GET takes their work with them": async (served) => {
    const links = ["/info-flow.arrow", "/logit-lens.arrow", "/info-flow.arrow"].flatMap((path, n) =>
      Array.from({ length: 8 }, (_, i) => {
        const prompt = words(LONG, 10 * n + i).replaceAll(" ", "+");
        const method = n === 2 ? "&method=ALTI" : "";
        return `GET ${path}?prompt=${prompt}${method} HTTP/1.1\n\n`;
      })
    );
    await leave(served.client, links);
    await nextIsQuick(served);
  },
  "who leaves by POST takes their work with them": async (served) => {
    const bodies = Array.from({ length: 20 }, (_, i) => {
      const prompt = words(LONG, 50 + i);
      return post(JSON.stringify({ query: `{ infoFlow(prompt: "${prompt}") { cacheHit } }` }));
    });
    await leave(served.client, bodies);
    await nextIsQuick(served);
  },
  "who leaves a table of prompts takes its rows with them": async (served) => {
    const prompts = Array.from({ length: 400 }, (_, i) => words(LONG, 100 + i));
    const body = tableToIPC(new Table({ prompt: vectorFromArray(prompts) }), "stream");
    const head = "POST /info-flow.arrow?method=ALTI HTTP/1.1\n" +
      "content-type: application/vnd.apache.arrow.stream\n" +
      `content-length: ${body.length}\n\n`;
    // Two leave when they have sent it, one in the middle of it.
    const whole = served.client.request(head, body);
    await leave(served.client, [whole, whole, whole.subarray(0, whole.length / 2)]);
    await nextIsQuick(served);
  },
  "who ends what they send counts as one who left": async (served) => {
    const link = `/info-flow.arrow?prompt=${words(LONG, 40).replaceAll(" ", "+")}&method=ALTI`;
    const connection = await served.client.send(`GET ${link} HTTP/1.1\n\n`);
    await connection.closeWrite();
    assert(["", "HTTP/1.1 200 "].includes((await rest(connection)).slice(0, 13)));
    await nextIsQuick(served);
  },
  "requests that come together on one connection are answered in turn": async ({ client }) => {
    const links = Array.from(
      { length: 20 },
      (_, i) => `GET /tokens.arrow?prompt=${i} HTTP/1.1\nHost: 127.0.0.1\n\n`,
    );
    const end = "GET /healthz HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n";
    const answers = await client.exchange(links.join("") + end);
    assert.equal(answers.match(/^HTTP\/1.1 \d+ /gm)?.length, 21, answers.slice(0, 500));
    assert.match(answers, /ok\n$/);
  },
  "a field that failed gives up the others": async (served) => {
    const length = Math.floor(0.88 * served.context);
    const others = [1, 2, 3].map((i) =>
      `a${i}: infoFlow(prompt: "${words(length, 70 + i)}") { cacheHit }`
    );
    const query = `{ ${others} bad: infoFlow(prompt: "") { id } }`;
    const { data, errors } = await served.client.query(query);
    assert.equal(data, null);
    assert.equal(errors[0].extensions.code, "PROMPT_EMPTY");
    await nextIsQuick(served);
  },
};
