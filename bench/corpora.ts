/**
 * Measures many prompts in one run: POST against GETs on a server that is started for it, and what people's requests
 * wait beside a batch. Answers are compared first.
 *
 *     deno run --allow-all bench/corpora.ts [prompts]
 */
import { Table, tableFromIPC, tableToIPC, vectorFromArray } from "apache-arrow";
import assert from "node:assert/strict";
import { withServer } from "../tests/support/serve.ts";

const TYPE = "application/vnd.apache.arrow.stream";
const ROWS = 256;
const COUNT = Number(Deno.args[0] ?? 2000);

/** Different prompts of about 19 tokens. */
function prompts(seed: string): string[] {
  return Array.from(
    { length: COUNT },
    (_, i) =>
      `${seed} ${i}: the letter that came on a cold morning in ${1800 + i % 200} was never read`,
  );
}

async function post(origin: string, rows: readonly string[]): Promise<Uint8Array> {
  const table = new Table({ prompt: vectorFromArray(rows) });
  const response = await fetch(`${origin}/info-flow.arrow`, {
    method: "POST",
    headers: { "content-type": TYPE },
    body: tableToIPC(table, "stream") as Uint8Array<ArrayBuffer>,
  });
  assert.equal(response.status, 200);
  return new Uint8Array(await response.arrayBuffer());
}

async function get(origin: string, prompt: string): Promise<Uint8Array> {
  const response = await fetch(`${origin}/info-flow.arrow?${new URLSearchParams({ prompt })}`);
  assert.equal(response.status, 200);
  return new Uint8Array(await response.arrayBuffer());
}

/** Works through a list, so many at a time. @returns Seconds. */
async function inParallel<T>(
  items: readonly T[],
  width: number,
  use: (item: T) => Promise<unknown>,
): Promise<number> {
  const began = performance.now();
  const queue = [...items];
  await Promise.all(Array.from({ length: width }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await use(item);
  }));
  return (performance.now() - began) / 1000;
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

await withServer(async ({ origin }) => {
  const [sample] = prompts("same");
  const batch = tableFromIPC(await post(origin, [sample!]));
  const alone = tableFromIPC(await get(origin, sample!));
  const nested = batch.getChild("flow")!.get(0).toArray() as { toArray(): Float32Array }[];
  const rows = Array.from(alone.getChild("flow")!, (row) => Array.from(row as Float32Array));
  assert.deepEqual(Array.from(nested, (row) => Array.from(row.toArray())), rows);

  for (const round of [1, 2]) {
    const getSeconds = await inParallel(
      prompts(`get ${round}`),
      16,
      (prompt) => get(origin, prompt),
    );
    const postSeconds = await inParallel(
      chunks(prompts(`post ${round}`)),
      3,
      (rows) => post(origin, rows),
    );
    console.log(
      `round ${round}: GET ${(COUNT / getSeconds).toFixed(0)}/s, POST ${
        (COUNT / postSeconds).toFixed(0)
      }/s, ` +
        `${(getSeconds / postSeconds).toFixed(2)} times`,
    );
  }

  let seed = 0;
  const person = (): Promise<unknown> =>
    get(origin, `a person asks ${seed++}: where is the letter that came`);
  const health = async (): Promise<unknown> => await (await fetch(`${origin}/healthz`)).text();
  for (const [name, use] of [["a person's new prompt", person], ["/healthz", health]] as const) {
    const until = performance.now() + 5000;
    const quiet = await repeat(use, () => performance.now() > until);
    let isDone = false;
    const [beside] = await Promise.all([
      repeat(use, () => isDone),
      inParallel(chunks(prompts(`beside ${name}`)), 3, (rows) => post(origin, rows)).then(() =>
        isDone = true
      ),
    ]);
    const [a, b] = [quiet, beside].map((times) =>
      [0.5, 0.99].map((share) => percentile(times, share))
    );
    console.log(
      `${name}: alone p50 ${a![0]!.toFixed(1)} p99 ${a![1]!.toFixed(1)} ms, beside a batch p50 ${
        b![0]!.toFixed(1)
      } ` +
        `p99 ${b![1]!.toFixed(1)} ms (${quiet.length} and ${beside.length} requests)`,
    );
  }
});
Deno.exit(0);
