/**
 * Measures the server as its clients see it, and prints a line of JSON for each: see `bench.ts`.
 *
 *     deno run -A bench/server.ts --model DIR [--source SOURCE]
 *
 * SOURCE is a checkout of the project whose server is started: this one, unless an earlier version is measured.
 */
import { parseArgs } from "node:util";
import { EngineWorker } from "../src/server/queue/engine_worker.ts";
import { ModelClient } from "../src/server/queue/model_client.ts";
import { tokenize } from "../src/tokens/tokenize.ts";
import { measure, type Sample, summary } from "./measure.ts";

const OWN = new URL("..", import.meta.url).pathname;
const { values: { model, source } } = parseArgs({
  options: { model: { type: "string" }, source: { type: "string", default: OWN } },
});
const print = (sample: Sample): void => console.log(JSON.stringify(sample));
const effort = { runs: 200, budgetMs: 4000 };
const PROMPT = "Mary and John went to the store. John gave the cart to";
const STARTS = 3;
const HEALTH_MS = 6000;

for (let i = 0; i < STARTS; i++) {
  for (const isCold of [true, false]) {
    const disk = isCold ? "from disk" : "from memory";
    await forget(isCold);
    print({ what: `reading the file ${disk}`, T: 0, ...summary([await readOnce()]) });
    await forget(isCold);
    const { startMs, stop } = await startServer();
    print({ what: `server start ${disk}`, T: 0, ...summary([startMs]) });
    await stop();
  }
}

const server = await startServer();
await aroundTheEngine(server.origin);
await health(server.origin);
await server.stop();
Deno.exit(0);

/** Has the operating system forget the file's contents, if it is to: GNU's dd can. */
async function forget(isToBe: boolean): Promise<void> {
  if (!isToBe) return void await readOnce();
  await new Deno.Command("dd", {
    args: [`if=${model}/model.safetensors`, "iflag=nocache", "count=0"],
    stderr: "null",
  }).output();
}

async function readOnce(): Promise<number> {
  using file = await Deno.open(`${model}/model.safetensors`);
  const buffer = new Uint8Array(4 * 2 ** 20);
  const began = performance.now();
  while (await file.read(buffer) !== null);
  return performance.now() - began;
}

async function startServer(): Promise<{ origin: string; startMs: number; stop(): Promise<void> }> {
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "serve", "--port", "0", "--model", model!],
    cwd: source,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of child.stdout.values({ preventCancel: true })) {
    text += decoder.decode(part, { stream: true });
    if (/ Arrow .*\n/.test(text)) break;
  }
  const startMs = performance.now() - began;
  const origin = text.match(/page +(http:\S+)\//)![1]!;
  const stop = async (): Promise<void> => {
    await child.stdout.cancel();
    child.kill("SIGTERM");
    await child.status;
  };
  return { origin, startMs, stop };
}

/** The same cached flow from the engine, and by GraphQL and by GET over a loopback socket. */
async function aroundTheEngine(origin: string): Promise<void> {
  const ids = tokenize(PROMPT, { limit: 1024 }).map(({ id }) => id);
  const T = ids.length;
  const link = `${origin}/info-flow.arrow?byLayer=true&prompt=${encodeURIComponent(PROMPT)}`;
  const query = "query Flow($prompt: String!) { infoFlow(prompt: $prompt, byLayer: true) " +
    "{ tokens { text } matrix { shape arrow } } }";
  const post = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables: { prompt: PROMPT } }),
  };
  const none = (): void => {};
  if (source === OWN) {
    const worker = await EngineWorker.start({ directories: [model!], cacheBytes: 2 ** 28 });
    const engine = new ModelClient(worker, 0);
    const options = { byLayer: true, aggregation: "MEAN", bos: "DROP" } as const;
    print({ what: "engine", T, ...await measure(effort, none, () => engine.flow(ids, options)) });
  }
  const get = async (): Promise<unknown> => await (await fetch(link)).bytes();
  print({ what: "GET of Arrow", T, ...await measure(effort, none, get) });
  const ask = async (): Promise<unknown> => await (await fetch(`${origin}/graphql`, post)).json();
  print({ what: "GraphQL with Arrow", T, ...await measure(effort, none, ask) });
}

/** How long /healthz takes while the device has always something to do. */
async function health(origin: string): Promise<void> {
  const end = performance.now() + HEALTH_MS;
  const work = (async () => {
    for (let i = 0; performance.now() < end; i++) {
      const prompt = Array.from({ length: 200 }, (_, t) => ` ${(7919 * t + 13 * i) % 997}`).join(
        "",
      );
      const { ok } = await fetch(`${origin}/info-flow.arrow?prompt=${encodeURIComponent(prompt)}`)
        .then(async (response) => (await response.bytes(), response));
      if (!ok) throw new Error("a prompt of 200 tokens was refused");
    }
  })();
  const times: number[] = [];
  while (performance.now() < end) {
    const began = performance.now();
    await (await fetch(`${origin}/healthz`)).text();
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await work;
  times.sort((a, b) => a - b);
  const p99_ms = times[Math.floor(0.99 * times.length)]!;
  print({ what: "healthz", T: 0, ...summary(times), p99_ms });
}
