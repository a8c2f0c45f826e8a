import assert from "node:assert/strict";
import { EngineWorker } from "../../src/server/queue/engine_worker.ts";
import { ModelClient } from "../../src/server/queue/model_client.ts";
import type { FlowOptions } from "../../src/requests/flow_options.ts";
import { TINY } from "../support/fixtures.ts";
import { withCheckpoint } from "../support/write_checkpoint.ts";

const OPTIONS: FlowOptions = { byLayer: true, aggregation: "MEAN", bos: "DROP" };
const GOOD = [330, 5, 43, 95, 161];
const FAULTY = [7, 5, 43];

async function withWorker(
  fault: string,
  use: (engine: ModelClient, news: string[]) => Promise<void>,
): Promise<void> {
  const news: string[] = [];
  const worker = await EngineWorker.start({
    directories: [TINY],
    cacheBytes: 2 ** 20,
    onNews: (line) => news.push(line),
    module: new URL(`./faulty_worker.ts?${fault}`, import.meta.url),
  });
  try {
    await use(new ModelClient(worker, 0), news);
  } finally {
    await worker.close();
  }
}

const FAULTS = [
  ["lost", /device was lost/],
  ["crash", /thread crashed/],
  ["broken", /it computes nothing any more: a submission that fails/],
] as const;
for (const [fault, reason] of FAULTS) {
  Deno.test(`when it goes away (${fault}), requests under way get DEVICE_LOST and another worker takes over`, () =>
    withWorker(fault, async (engine, news) => {
      const before = await engine.flow(GOOD, OPTIONS);
      assert.equal(engine.isReady, true);
      const asked = [engine.flow(FAULTY, OPTIONS), engine.flow([330, 1, 2, 3], OPTIONS)];
      const outcomes = await Promise.allSettled(asked);
      // The second may have been answered before the worker was gone; if not, it has the same code.
      const codes = outcomes.map((outcome) =>
        outcome.status === "rejected" ? outcome.reason.code : "answered"
      );
      assert.equal(codes[0], "DEVICE_LOST");
      assert(["DEVICE_LOST", "answered"].includes(codes[1]), codes[1]);
      const after = await engine.flow(GOOD, OPTIONS);
      assert.equal(after.cacheHit, false, "the patterns went with the device");
      assert.deepEqual(after.flow, before.flow);
      assert.equal(engine.isReady, true);
      assert.match(news[0]!, reason);
      assert.equal(news[1], "the model is on the device again");
    }));
}

Deno.test("an error that the device survives is no reason for another worker", () =>
  withWorker("hiccup", async (engine, news) => {
    const before = await engine.flow(GOOD, OPTIONS);
    await assert.rejects(() => engine.flow(FAULTY, OPTIONS), {
      message: /a submission that fails/,
    });
    assert.deepEqual((await engine.flow(GOOD, OPTIONS)).flow, before.flow);
    assert.deepEqual(news, []);
  }));

Deno.test("a worker whose shaders are refused is not the last one to try", async () => {
  const mark = await Deno.makeTempFile();
  await Deno.remove(mark);
  await withWorker(`refused=${encodeURIComponent(mark)}`, async (engine, news) => {
    const before = await engine.flow(GOOD, OPTIONS);
    await assert.rejects(() => engine.flow(FAULTY, OPTIONS), { code: "DEVICE_LOST" });
    const after = await engine.flow(GOOD, OPTIONS);
    assert.deepEqual(after.flow, before.flow);
    assert.match(news[1]!, /cannot load the model again: the shader is refused/);
    assert.equal(news[2], "the model is on the device again");
  });
});

Deno.test("a device with little room makes room from the cache", () =>
  withWorker("tight", async (engine) => {
    await engine.flow(GOOD, OPTIONS);
    const { flow } = await engine.flow(FAULTY, OPTIONS);
    assert.equal(flow.length, 3 * 2 * 2);
    const { entries, evictions } = await engine.cacheStats();
    assert.deepEqual({ entries, evictions }, { entries: 1, evictions: 1 });
  }));

Deno.test("a matrix that the device has no room for is refused, and the next request is answered", () =>
  withWorker("full", async (engine) => {
    const before = await engine.flow(GOOD, OPTIONS);
    assert.equal((await engine.cacheStats()).entries, 1);
    await assert.rejects(() => engine.flow(FAULTY, OPTIONS), {
      name: "InfoflowError",
      code: "MATRIX_TOO_LARGE",
      message: /Cannot allocate patterns of layers 0 to 2 .*; ask with a shorter prompt/,
    });
    const { entries, evictions, bytes } = await engine.cacheStats();
    assert.deepEqual({ entries, evictions, bytes }, { entries: 0, evictions: 1, bytes: 0 });
    const after = await engine.flow(GOOD, OPTIONS);
    assert.deepEqual(after.flow, before.flow);
  }));

Deno.test("requests are answered in their order, each with its own numbers", () =>
  withWorker("none", async (engine) => {
    const prompts = Array.from({ length: 12 }, (_, n) => [330, n, ...new Array(n).fill(7)]);
    const alone: Float32Array[] = [];
    for (const ids of prompts) alone.push((await engine.flow(ids, OPTIONS)).flow);
    const order: number[] = [];
    const together = await Promise.all(prompts.map(async (ids, n) => {
      const { flow } = await engine.flow(ids, OPTIONS);
      order.push(n);
      return flow;
    }));
    assert.deepEqual(together, alone);
    assert.deepEqual(order, prompts.map((_, n) => n));
  }));

Deno.test("EngineWorker.start() passes on why it can't", async () => {
  await assert.rejects(() => EngineWorker.start({ directories: ["/nowhere"], cacheBytes: 0 }), {
    message: /config.json is missing/,
  });
  await withCheckpoint({ config: { model_type: "gptj" } }, async (directory) => {
    await assert.rejects(() => EngineWorker.start({ directories: [directory], cacheBytes: 0 }), {
      message: /model_type/,
    });
  });
});

Deno.test("close() cancels what is under way", async () => {
  const worker = await EngineWorker.start({ directories: [TINY], cacheBytes: 0 });
  const asked = new ModelClient(worker, 0).flow(GOOD, OPTIONS);
  const closed = worker.close();
  await assert.rejects(() => asked, { code: "CANCELLED" });
  await closed;
  assert.equal(worker.isReady, false);
});
