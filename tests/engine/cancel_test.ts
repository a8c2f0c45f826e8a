// Passes in pieces: the same numbers as whole ones, and an end where nobody waits any more.
import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { PassPieces } from "../../src/engine/passes/pass_pieces.ts";
import type { FlowOptions } from "../../src/requests/flow_options.ts";
import { countGpuCalls } from "../support/count_gpu_calls.ts";
import { TINY } from "../support/fixtures.ts";
import { OneByOne } from "../support/one_by_one.ts";

const OPTIONS: FlowOptions = { byLayer: true, aggregation: "MEAN", bos: "KEEP" };
const LAYERS = 3;

function prompt(tokens: number, seed = 1): number[] {
  return Array.from({ length: tokens }, (_, t) => (t * 97 + 31 * seed) % 331);
}

async function withEngine(
  use: (engine: Engine) => Promise<void>,
  pieces?: PassPieces,
): Promise<void> {
  const engine = await createEngine({ directory: TINY, cacheBytes: 2 ** 24, pieces });
  try {
    await use(engine);
  } finally {
    engine.destroy();
  }
}

const inPieces = (use: (engine: Engine) => Promise<void>): Promise<void> =>
  withEngine(use, new OneByOne(LAYERS));

Deno.test("a pass in pieces gives the same bytes as a whole one, also where it goes on from a known beginning", async () => {
  // Typed on within the entry, into a larger entry, branched off, and new.
  const asked = [
    prompt(20),
    prompt(30),
    prompt(60),
    [...prompt(50), 7, 8],
    prompt(41, 2),
  ];
  const expected: Float32Array[] = [];
  await withEngine(async (engine) => {
    for (const ids of asked) expected.push((await engine.flow(ids, OPTIONS)).flow);
  });
  await inPieces(async (engine) => {
    for (const [index, ids] of asked.entries()) {
      assert.deepEqual((await engine.flow(ids, OPTIONS)).flow, expected[index], `${index}`);
    }
  });
});

Deno.test("a pass that nobody waits for stops at the next layer and leaves nothing behind", () =>
  inPieces(async (engine) => {
    const before = await engine.flow(prompt(20, 9), OPTIONS);
    for (let layersSeen = 1; layersSeen < LAYERS; layersSeen++) {
      let looks = 0;
      const { submissions } = await countGpuCalls(async () => {
        // The first look is before the pass.
        const isWanted = (): boolean => looks++ < layersSeen;
        const [outcome] = await engine.flows([{ ids: prompt(40), options: OPTIONS, isWanted }]);
        assert.equal(outcome!.status, "rejected");
        assert.equal((outcome as PromiseRejectedResult).reason.code, "CANCELLED");
      });
      assert.equal(submissions, layersSeen);
      assert.equal(engine.cacheStats.entries, 1, "its patterns are not found by others");
    }
    assert.equal((await engine.flow(prompt(40), OPTIONS)).cacheHit, false);
    const after = await engine.flow(prompt(20, 9), OPTIONS);
    assert.deepEqual(after.flow, before.flow);
  }));

Deno.test("what nobody waits for is not begun, and does not hold up the others of its batch", () =>
  withEngine(async (engine) => {
    const { submissions } = await countGpuCalls(async () => {
      const outcomes = await engine.flows([
        { ids: prompt(20), options: OPTIONS, isWanted: () => false },
        { ids: prompt(20, 2), options: OPTIONS, isWanted: () => false },
      ]);
      assert(outcomes.every(({ status }) => status === "rejected"));
    });
    assert.equal(submissions, 0);
    const [left, kept] = await engine.flows([
      { ids: prompt(20), options: OPTIONS, isWanted: () => false },
      { ids: prompt(20, 2), options: OPTIONS },
    ]);
    assert.equal(left!.status, "rejected");
    assert.equal(kept!.status, "fulfilled");
  }));

Deno.test("PassPieces submits short passes whole and long ones in pieces of at least 20 ms", () => {
  const pace = new PassPieces(12);
  assert.equal(pace.pieces(255).length, 1, "of a device of which nothing is known");
  assert.equal(pace.pieces(256).length, 12);
  // A row takes 0.1 ms in a layer; the slowest of several looks was disturbed by others.
  pace.record(0, 5000);
  for (const ms of [600, 120, 130]) pace.record(100, ms);
  assert.equal(pace.pieces(49).length, 1); // 59 ms
  assert.equal(pace.pieces(51).length, 3); // 61 ms, 5.1 ms a layer, 4 layers a piece
  assert.deepEqual(pace.pieces(100), [
    { first: 0, end: 2, isLast: false },
    { first: 2, end: 4, isLast: false },
    { first: 4, end: 6, isLast: false },
    { first: 6, end: 8, isLast: false },
    { first: 8, end: 10, isLast: false },
    { first: 10, end: 12, isLast: true },
  ]);
  assert.equal(pace.pieces(1024).length, 12);
});

Deno.test("a measure by another method stops between its stages, and leaves nothing behind", () =>
  inPieces(async (engine) => {
    const options: FlowOptions = { ...OPTIONS, method: "ALTI" };
    let looks = 0;
    const isWanted = (): boolean => looks++ < 1; // the first look is before all
    const [outcome] = await engine.flows([{ ids: prompt(40), options, isWanted }]);
    assert.equal((outcome as PromiseRejectedResult).reason.code, "CANCELLED");
    const after = await engine.flow(prompt(40), options);
    assert.equal(after.cacheHit, false);
    assert(after.flow.every(Number.isFinite));
  }));

Deno.test("a measure that is broken off leaves what was measured of fewer tokens", () =>
  inPieces(async (engine) => {
    const options: FlowOptions = { ...OPTIONS, method: "ALTI" };
    const before = await engine.flow(prompt(20), options);
    let looks = 0;
    const isWanted = (): boolean => looks++ < LAYERS + 1; // the pass is made, and a layer measured
    const [outcome] = await engine.flows([{ ids: prompt(24), options, isWanted }]);
    assert.equal((outcome as PromiseRejectedResult).reason.code, "CANCELLED");
    const { dispatches } = await countGpuCalls(async () => {
      const { flow, cacheHit } = await engine.flow(prompt(20), options);
      assert.deepEqual(flow, before.flow);
      assert.equal(cacheHit, true);
    });
    assert.equal(dispatches, 1, "it was measured again");
  }));

Deno.test("a question stops between its stages, and leaves nothing behind", () =>
  inPieces(async (engine) => {
    const ask = (isWanted: () => boolean): Promise<{ cacheHit: boolean }> =>
      engine.ask("nextTokens", { ids: prompt(40), k: 3 }, isWanted);
    for (let layersSeen = 1; layersSeen < LAYERS; layersSeen++) {
      let looks = 0;
      await assert.rejects(() => ask(() => ++looks < layersSeen), { code: "CANCELLED" });
      assert.equal(engine.cacheStats.entries, 0);
    }
    assert.equal((await ask(() => true)).cacheHit, false);
    assert.equal((await ask(() => true)).cacheHit, true);
  }));

Deno.test("cached answers come before those that take long", () =>
  withEngine(async (engine) => {
    await engine.flow(prompt(20), OPTIONS);
    const answered: number[] = [];
    const zeroing: FlowOptions = { ...OPTIONS, method: "VALUE_ZEROING" };
    const outcomes = await engine.flows([
      { ids: prompt(30, 2), options: zeroing },
      { ids: prompt(20), options: OPTIONS },
      { ids: prompt(20), options: { ...OPTIONS, byLayer: false } },
    ], { onAnswer: (index) => answered.push(index) });
    assert.deepEqual(answered, [1, 2, 0]);
    assert(outcomes.every(({ status }) => status === "fulfilled"));
  }));
