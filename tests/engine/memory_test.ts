import assert from "node:assert/strict";
import { readArchitecture } from "../../src/checkpoints/checkpoint.ts";
import { activationBytes } from "../../src/engine/activations/prompt_activations.ts";
import { BUNDLED } from "../support/fixtures.ts";
import { gpt2SmallShape } from "../support/gpt2_small.ts";

interface Held {
  readonly request: number;
  readonly rss: number;
  /** Bytes of buffers and textures that were made and not destroyed. */
  readonly live: number;
  readonly evictions: number;
}

/**
 * What the process may have grown by: garbage that was not collected yet, and the driver's. A hundredth of what the
 * evicted entries would take (900 of 800 KB in the mean) would be seen.
 */
const SLACK = 64 * 2 ** 20;

async function runScript(name: string, ...args: string[]): Promise<string> {
  const script = new URL(name, import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-read", "--allow-env", script, ...args],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("loading holds the checkpoint once, and beside it less than its largest tensor", async () => {
  const directory = await gpt2SmallShape();
  const { held } = JSON.parse(await runScript("load_twice.ts", directory)) as { held: number };
  const { size } = await Deno.stat(`${directory}/model.safetensors`);
  const { channels, vocabulary } = await readArchitecture(directory);
  // 105 MB were seen: activations, the driver's, two tensors of a layer, uploads that the device had not taken.
  const beside = held - size;
  assert(beside < 4 * channels * vocabulary, `${beside} bytes beside the checkpoint's ${size}`);
});

Deno.test("a thousand requests leave memory, the device's too, where it was after a hundred", async () => {
  const lines = (await runScript("many_requests.ts")).split("\n");
  const held = lines.map((line) => JSON.parse(line) as Held);
  assert.deepEqual(
    held.map(({ request }) => request),
    Array.from({ length: 10 }, (_, i) => 100 * (i + 1)),
  );

  const [early, ...later] = held as [Held, ...Held[]];
  const architecture = await readArchitecture(BUNDLED);
  // A full cache holds what fits: from one look to the next it may differ by an entry.
  const entry = activationBytes(architecture, architecture.context);
  for (const { request, rss, live } of later) {
    assert(
      live <= early.live + entry,
      `${live} bytes on the device after ${request}, ${early.live} before`,
    );
    assert(
      rss <= early.rss + SLACK,
      `${rss} bytes in memory after ${request}, ${early.rss} before`,
    );
  }
  assert(later.at(-1)!.evictions > 800); // the cache was full
});
