/**
 * Measures many prompts in one run: POST against GETs on a server that is started for it, in turns, by the clock and by
 * the processor; and what people's requests wait beside a batch. Answers are compared first.
 *
 *     deno run --allow-all bench/corpora.ts [prompts]
 */
import { tableFromIPC } from "apache-arrow";
import assert from "node:assert/strict";
import { withServer } from "../tests/support/serve.ts";
import { post, prompts, ROWS } from "./batches.ts";
import { secondsOfChildren } from "./processor.ts";

const COUNT = Number(Deno.args[0] ?? 2000);
/** Turns that POST and GET take, so that both see the same machine. */
const TURNS = Math.max(1, Math.round(COUNT / 500));
/** A wait before batches are measured: for two seconds after an interactive request they take short turns. */
const MOMENT_MS = 2500;
/** How long batches run before interactive requests are measured beside them, in ms. */
const BEGUN_MS = 1000;
/** How long interactive requests are sent alone, and then beside a batch, each twice, in ms. */
const PEOPLE_MS = 6000;

async function get(origin: string, prompt: string): Promise<Uint8Array> {
  const response = await fetch(`${origin}/info-flow.arrow?${new URLSearchParams({ prompt })}`, {
    headers: { "accept-encoding": "identity" },
  });
  assert.equal(response.status, 200);
  return await response.bytes();
}

/** Works through a list, several items at a time. */
async function inParallel<T>(
  items: readonly T[],
  width: number,
  use: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await use(item);
  }));
}

function chunks<T>(items: readonly T[]): T[][] {
  return Array.from(
    { length: Math.ceil(items.length / ROWS) },
    (_, i) => items.slice(i * ROWS, (i + 1) * ROWS),
  );
}

function percentile(times: readonly number[], share: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(share * (times.length - 1))]!;
}

/** Asks for something again and again until told to stop. @returns How long each took, in ms. */
async function repeat(use: () => Promise<unknown>, isDone: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (!isDone()) {
    const began = performance.now();
    await use();
    times.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return times;
}

async function compare(origin: string): Promise<void> {
  const sample = prompts("same", 1)[0]!;
  const batch = tableFromIPC(await post(origin, [sample]));
  const alone = tableFromIPC(await get(origin, sample));
  const nested = batch.getChild("flow")!.get(0).toArray() as { toArray(): Float32Array }[];
  const rows = Array.from(alone.getChild("flow")!, (row) => Array.from(row as Float32Array));
  assert.deepEqual(Array.from(nested, (row) => Array.from(row.toArray())), rows);
}

async function postAgainstGet(origin: string): Promise<void> {
  const count = Math.round(COUNT / TURNS);
  const ways = {
    GET: (seed: string) => inParallel(prompts(seed, count), 16, (prompt) => get(origin, prompt)),
    POST: (seed: string) =>
      inParallel(chunks(prompts(seed, count)), 3, (rows) => post(origin, rows)),
  };
  const taken = { GET: { wall: 0, server: 0 }, POST: { wall: 0, server: 0 } };
  for (let turn = -1; turn < TURNS; turn++) { // the first is to warm up
    for (const name of turn % 2 ? ["GET", "POST"] as const : ["POST", "GET"] as const) {
      if (name === "POST") await new Promise((resolve) => setTimeout(resolve, MOMENT_MS));
      const [began, server] = [performance.now(), await secondsOfChildren()];
      await ways[name](`${name} ${turn}`);
      if (turn < 0) continue;
      taken[name].wall += (performance.now() - began) / 1000;
      taken[name].server += await secondsOfChildren() - server;
    }
  }
  const all = count * TURNS;
  for (const [name, { wall, server }] of Object.entries(taken)) {
    console.log(
      `${name}: ${all} prompts, ${(all / wall).toFixed(0)} a second, ` +
        `${(1000 * server / all).toFixed(2)} ms of the server's processor each`,
    );
  }
  const { GET, POST } = taken;
  console.log(
    `POST ${(GET.wall / POST.wall).toFixed(2)} times the rate of GET, ` +
      `${(GET.server / POST.server).toFixed(2)} times by the processor`,
  );
}

async function besideBatches(origin: string): Promise<void> {
  let seed = 0;
  const uses = {
    "a person's new prompt": () =>
      get(origin, `a person asks ${seed++}: where is the letter that came`),
    "/healthz": async () => await (await fetch(`${origin}/healthz`)).text(),
  };
  const times = Object.fromEntries(
    Object.keys(uses).map((name) => [name, { alone: [] as number[], beside: [] as number[] }]),
  );
  for (const turn of [1, 2]) {
    for (const [name, use] of Object.entries(uses)) {
      const until = performance.now() + PEOPLE_MS;
      times[name]!.alone.push(...await repeat(use, () => performance.now() > until));
      // In a thread of their own: their clients' work is not to delay what is measured here.
      const batches = new Worker(new URL("./batches.ts", import.meta.url), { type: "module" });
      batches.postMessage({ origin, seed: `beside ${name} ${turn}` });
      await new Promise((resolve) => setTimeout(resolve, BEGUN_MS));
      const ends = performance.now() + PEOPLE_MS;
      times[name]!.beside.push(...await repeat(use, () => performance.now() > ends));
      batches.terminate();
    }
  }
  for (const [name, { alone, beside }] of Object.entries(times)) {
    const line = (list: readonly number[]): string =>
      [0.5, 0.9, 0.99].map((share) => percentile(list, share).toFixed(1)).join(", ") +
      ` ms (${list.length} requests)`;
    console.log(`${name}, 50th, 90th and 99th percentile: alone ${line(alone)}`);
    console.log(
      `  beside a batch ${line(beside)}: the 99th is ${
        (percentile(beside, 0.99) / percentile(alone, 0.99)).toFixed(2)
      } times`,
    );
  }
}

await withServer(async ({ origin }) => {
  await compare(origin);
  await postAgainstGet(origin);
  await besideBatches(origin);
});
Deno.exit(0);
