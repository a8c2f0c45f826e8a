// Several models on one device, with one cache: nothing is mixed up, and the budget is everybody's.
import assert from "node:assert/strict";
import { createEngine } from "../../src/thread/create_engine.ts";
import { EngineWorker } from "../../src/server/queue/engine_worker.ts";
import { ModelClient } from "../../src/server/queue/model_client.ts";
import type { FlowOptions } from "../../src/requests/flow_options.ts";
import { FIXTURES, TINY } from "../support/fixtures.ts";

const DIRECTORIES = [
  TINY,
  ...["gelu", "vocabulary"].map((name) => new URL(`architectures/${name}/`, FIXTURES).pathname),
];
const BY_LAYER: FlowOptions = { byLayer: true, aggregation: "MEAN", bos: "DROP" };

async function alone(directory: string, ids: readonly number[]): Promise<Float32Array> {
  const engine = await createEngine({ directory, cacheBytes: 0 });
  try {
    return (await engine.flow(ids, BY_LAYER)).flow;
  } finally {
    engine.destroy();
  }
}

Deno.test("three models answer side by side what each answers alone, and hit only their own cached prompts", async () => {
  const ids = [60, 5, 43, 9, 21];
  const expected = await Promise.all(DIRECTORIES.map((directory) => alone(directory, ids)));
  const worker = await EngineWorker.start({ directories: DIRECTORIES, cacheBytes: 2 ** 24 });
  try {
    for (const isHit of [false, true]) {
      const answers = await Promise.all(
        [0, 1, 2].map((model) => new ModelClient(worker, model).flow(ids, BY_LAYER)),
      );
      answers.forEach(({ flow, cacheHit }, model) => {
        assert.deepEqual(flow, expected[model], `model ${model}`);
        assert.equal(cacheHit, isHit);
      });
    }
    // A prompt that goes on from one that another model knows is new to this one.
    const longer = await new ModelClient(worker, 2).flow([...ids, 7], BY_LAYER);
    assert.deepEqual(longer.flow, await alone(DIRECTORIES[2]!, [...ids, 7]));
    const { entries, hits, misses } = await worker.cacheStats();
    assert.deepEqual([entries, hits, misses], [3, 3, 4]);
    assert.deepEqual(worker.infos.map(({ architecture }) => architecture.vocabulary), [
      331,
      61,
      97,
    ]);
  } finally {
    await worker.close();
  }
});

Deno.test("one model's prompts give way to another's", async () => {
  const first = await createEngine({ directory: DIRECTORIES[1]!, cacheBytes: 60_000 });
  try {
    const second = await createEngine({
      directory: DIRECTORIES[2]!,
      cacheBytes: 0,
      shared: first.shared,
    });
    const ids = [3, 1, 2];
    await first.flow(ids, BY_LAYER);
    const { bytes, budget } = first.cacheStats;
    assert(bytes > budget / 8 && bytes <= budget, `${bytes} of ${budget}`);
    for (let i = 0; i < 8; i++) await second.flow([...ids, i], BY_LAYER);
    for (let i = 0; i < 8; i++) await second.flow([i, ...ids], BY_LAYER);
    const after = second.cacheStats;
    assert(after.bytes <= after.budget && after.evictions > 0);
    assert.equal((await first.flow(ids, BY_LAYER)).cacheHit, false);
  } finally {
    first.destroy();
  }
});

Deno.test("a model that can't be loaded ends the start of all", async () => {
  await assert.rejects(
    () => EngineWorker.start({ directories: [TINY, "/nowhere"], cacheBytes: 0 }),
    { message: /\/nowhere .* config\.json is missing/ },
  );
});
