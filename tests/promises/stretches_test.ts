// Whatever is asked, the thread that answers is free again within 50 ms: /healthz is answered in that time. Measured in
// the process, by the time that the thread has on a processor, since on a machine that does other things besides the time
// of an answer says little.
import assert from "node:assert/strict";
import { Table, tableToIPC, vectorFromArray } from "apache-arrow";
import { MODELS } from "./served.ts";
import { Client, words } from "./client.ts";
import type { Stretch } from "./measured_serve.ts";

const MOST_MS = 50;
/** How much longer the test allows: beside other programs, the same work takes more of the thread's own time. */
const SLOWER = 2;

/** A query whose fields all have names of their own. */
function aliased(count: number, field: (index: number) => string): string {
  const fields = Array.from({ length: count }, (_, index) => `a${index}: ${field(index)}`);
  return `query ($p: String!) { ${fields.join(" ")} }`;
}

/** Sends a table of prompts, and reads the answer. */
async function batch(
  client: Client,
  prompts: readonly string[],
  path = "/info-flow.arrow",
): Promise<void> {
  const table = new Table({ prompt: vectorFromArray(prompts) });
  const headers = { "content-type": "application/vnd.apache.arrow.stream" };
  const body = tableToIPC(table, "stream") as Uint8Array<ArrayBuffer>;
  const { status, text } = await client.get(path, { method: "POST", headers, body });
  assert.equal(status, 200, text);
}

type Asked = (client: Client, context: number) => Promise<unknown>;

/** Answers that take much, of each way in which the server answers. */
const LONG_ANSWERS: Readonly<Record<string, Asked>> = {
  "Arrow of all layers, compressed": (client, context) =>
    client.get(`/info-flow.arrow?byLayer=true&prompt=${encodeURIComponent(words(context - 2))}`, {
      headers: { "accept-encoding": "br" },
    }),
  "CSV of a long prompt": (client, context) =>
    client.get(`/info-flow.csv?prompt=${encodeURIComponent(words(context - 2))}`),
  "a table of 10,000 rows": (client) =>
    client.get(`/logit-lens.arrow?k=16&prompt=${encodeURIComponent(words(90))}`),
  "routes with all their edges": (client) =>
    client.get(`/routes.arrow?threshold=0&prompt=${encodeURIComponent(words(22))}`),
  "routes in GraphQL, with all their edges": (client) =>
    client.query(
      `query ($p: String!) {
        routes(prompt: $p, threshold: 0) { edges { layer kind head source target weight } }
      }`,
      { p: words(20) },
    ),
  "the strongest of many routes": (client) =>
    client.query(
      `query ($p: String!) { routes(prompt: $p, threshold: 0, strongest: 3000) { edges { weight } } }`,
      { p: words(22) },
    ),
  "routes that are too many": (client) =>
    client.get(`/routes.arrow?threshold=0&prompt=${encodeURIComponent(words(200))}`),
  "tokens of fifteen prompts of 2,000 characters": (client, context) =>
    client.query(
      aliased(
        15,
        (index) =>
          `tokens(prompt: "${index}${"ÃÂ".repeat(Math.min(1000, 8 * context))}") { id text }`,
      ),
      { p: "" },
    ),
  "fifteen times the scores of all heads": (client, context) =>
    client.query(aliased(15, () => "headScores(prompt: $p) { heads { layer head induction } }"), {
      p: "a" + " a".repeat(context - 2),
    }),
  "a table of long texts": (client, context) =>
    batch(client, [0, 1].map((row) => row + "ÃÂ".repeat(32 * (context - 2)))),
  "a table of texts that are refused": (client) =>
    batch(client, Array.from({ length: 10 }, (_, row) => `${row}`.repeat(60_000))),
  "a table of 4,096 rows": (client) =>
    batch(client, Array.from({ length: 4096 }, (_, row) => `row ${row % 50}`)),
  "a table of patterns": (client) =>
    batch(client, [1, 2].map((seed) => words(150, seed)), "/attention.arrow"),
  "GraphiQL": (client) =>
    client.get("/graphql", { headers: { accept: "text/html", "accept-encoding": "br" } }),
  "variables of 250 KB": (client) =>
    client.query("query ($i: [Int!]!) { infoFlow(ids: $i) { id } }", { i: Array(60_000).fill(1) }),
};

for (const [name, { context, run }] of Object.entries(MODELS)) {
  Deno.test(`the answering thread is not at one thing for long: ${name}`, (test) =>
    run(async (model) => {
      await using server = await measuredServer(model);
      const { client, longest } = server;
      for (const [what, ask] of Object.entries(LONG_ANSWERS)) {
        await test.step(what, async () => {
          await ask(client, context); // V8 compiles what runs for the first time
          await longest();
          await ask(client, context);
          const ms = await longest();
          console.log(`${name}: ${what}: ${ms.toFixed(1)} ms`);
          assert(ms < SLOWER * MOST_MS, `${ms} ms at a stretch`);
        });
      }
    }));
}

interface Measured extends AsyncDisposable {
  readonly client: Client;
  /** The longest stretch since this was asked last, in ms. */
  longest(): Promise<number>;
}

async function measuredServer(model: string): Promise<Measured> {
  const script = new URL("./measured_serve.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", script, "--port", "0", "--model", model, "--deadline", "60"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const input = child.stdin.getWriter();
  let text = "";
  const until = async (pattern: RegExp): Promise<RegExpMatchArray> => {
    for (;;) {
      const match = text.match(pattern);
      if (match) {
        text = text.slice(match.index! + match[0].length);
        return match;
      }
      const { done, value } = await output.read();
      if (done) throw new Error(`the server ended: ${text}`);
      text += value;
    }
  };
  const [, origin] = await until(/page +(http:\S+)\/[^]* Arrow .*\n/);
  return {
    client: new Client(origin!),
    longest: async () => {
      await input.write(Uint8Array.of(10));
      const { ms } = JSON.parse((await until(/\{.*\}\n/))[0]) as Stretch;
      return ms;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await output.cancel();
      await child.status;
      await input.abort().catch(() => {});
    },
  };
}
