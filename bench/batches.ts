/** Batches of prompts for `corpora.ts`; as a worker, three clients that POST them one after another until it is ended. */
/// <reference lib="deno.worker" />
import { Table, tableToIPC, vectorFromArray } from "apache-arrow";
import assert from "node:assert/strict";

const TYPE = "application/vnd.apache.arrow.stream";
/** Rows of a batch. */
export const ROWS = 256;

/** Different prompts of about 19 tokens. */
export function prompts(seed: string, count: number): string[] {
  return Array.from(
    { length: count },
    (_, i) =>
      `${seed} ${i}: the letter that came on a cold morning in ${1800 + i % 200} was never read`,
  );
}

/** POSTs a table of prompts. @returns The table of answers. */
export async function post(origin: string, rows: readonly string[]): Promise<Uint8Array> {
  const table = new Table({ prompt: vectorFromArray(rows) });
  const response = await fetch(`${origin}/info-flow.arrow`, {
    method: "POST",
    headers: { "content-type": TYPE, "accept-encoding": "identity" },
    body: tableToIPC(table, "stream") as Uint8Array<ArrayBuffer>,
  });
  assert.equal(response.status, 200);
  return await response.bytes();
}

if (typeof DedicatedWorkerGlobalScope !== "undefined") {
  self.onmessage = ({ data: { origin, seed } }) => {
    for (const lane of [1, 2, 3]) postOnAndOn(origin, `${seed} ${lane}`);
  };
}

async function postOnAndOn(origin: string, seed: string): Promise<void> {
  for (let batch = 0;; batch++) await post(origin, prompts(`${seed} ${batch}`, ROWS));
}
