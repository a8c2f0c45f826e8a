// What an answer costs, in things that can be counted. Times are measured in bench/.
import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import type { FlowOptions } from "../../src/requests/flow_options.ts";
import { activationBytes, capacityFor } from "../../src/engine/activations/prompt_activations.ts";
import { TINY } from "../support/fixtures.ts";
import { countGpuCalls } from "../support/count_gpu_calls.ts";

const OPTIONS: FlowOptions = { byLayer: true, aggregation: "MEAN", bos: "DROP" };
const LAYERS = 3;

function prompt(tokens: number, seed: number): number[] {
  return Array.from({ length: tokens }, (_, t) => (t * 97 + 31 * seed) % 331);
}

async function withEngine(
  use: (engine: Engine) => Promise<void>,
  entries: number,
  tokens: number,
): Promise<void> {
  const first = await createEngine({ directory: TINY, cacheBytes: 0 });
  const bytes = activationBytes(first.info.architecture, capacityFor(tokens));
  first.destroy();
  const engine = await createEngine({ directory: TINY, cacheBytes: entries * bytes });
  try {
    await use(engine);
  } finally {
    engine.destroy();
  }
}

Deno.test("a request takes one submission, one readback and at most 8 dispatches a layer", () =>
  withEngine(
    async (engine) => {
      await engine.flow(prompt(20, 1), OPTIONS);
      const { dispatches, submissions, readbacks } = await countGpuCalls(async () => {
        const { cacheHit } = await engine.flow(prompt(20, 2), OPTIONS);
        assert.equal(cacheHit, false);
      });
      assert.deepEqual({ submissions, readbacks }, { submissions: 1, readbacks: 1 });
      // Eight a layer; the last stops at its pattern, which leaves room for the mean over heads and the flow.
      assert.equal(dispatches, 8 * (LAYERS - 1) + 3 + 2);
      assert(dispatches <= 8 * LAYERS);
    },
    4,
    20,
  ));

Deno.test("a cached prompt takes a dispatch, a submission and a readback", () =>
  withEngine(
    async (engine) => {
      await engine.flow(prompt(20, 1), OPTIONS);
      const calls = await countGpuCalls(async () => {
        await engine.flow(prompt(20, 1), { ...OPTIONS, byLayer: false });
        await engine.flow(prompt(20, 1).slice(0, 9), OPTIONS);
      });
      assert.deepEqual(calls, {
        pipelines: 0,
        bindGroups: 0,
        buffers: 0,
        textures: 0,
        dispatches: 2,
        submissions: 2,
        readbacks: 2,
      });
    },
    4,
    20,
  ));

Deno.test("chosen heads of a cached prompt take no more than a dispatch, and what they were made for stays", () =>
  withEngine(
    async (engine) => {
      const ids = prompt(20, 1);
      const heads = { byHead: true, bos: "KEEP", layers: [1], heads: [0, 2] } as const;
      const narrowed = { ...OPTIONS, heads: [1] };
      await engine.flow(ids, heads);
      await engine.flow(ids, narrowed);
      const calls = await countGpuCalls(async () => {
        const { flow } = await engine.flow(ids, { ...heads, layers: [2] });
        assert.equal(flow.buffer.byteLength, 4 * (2 * 20 * 20 + 2 * 20), "only these heads came");
        await engine.flow(ids, { ...heads, bos: "DROP", cells: 7 });
        await engine.flow(ids, { ...narrowed, layers: [0, 2] }); // their mean over heads, and the flow
      });
      assert.deepEqual(calls, {
        pipelines: 0,
        bindGroups: 0,
        buffers: 0,
        textures: 0,
        dispatches: 1 + 1 + 2,
        submissions: 3,
        readbacks: 3,
      });
    },
    4,
    20,
  ));

Deno.test("nothing is made for a prompt of a size that was seen before, in a cache that is full", () =>
  withEngine(
    async (engine) => {
      // Two entries fit. The third prompt takes over the memory of the first, and its bind groups.
      for (const seed of [1, 2]) await engine.flow(prompt(20, seed), OPTIONS);
      for (let seed = 3; seed < 8; seed++) {
        const { pipelines, bindGroups, buffers, textures } = await countGpuCalls(async () => {
          const { cacheHit } = await engine.flow(prompt(17 + seed, seed), OPTIONS);
          assert.equal(cacheHit, false);
        });
        assert.deepEqual({ pipelines, bindGroups, buffers, textures }, {
          pipelines: 0,
          bindGroups: 0,
          buffers: 0,
          textures: 0,
        });
      }
      assert.equal(engine.cacheStats.evictions, 5);
    },
    2,
    20,
  ));

Deno.test("nothing is made while a prompt is typed on within its room", () =>
  withEngine(
    async (engine) => {
      await engine.flow(prompt(17, 1), OPTIONS);
      const { dispatches, ...rest } = await countGpuCalls(async () => {
        for (let tokens = 18; tokens <= 32; tokens++) await engine.flow(prompt(tokens, 1), OPTIONS);
      });
      assert.deepEqual(rest, {
        pipelines: 0,
        bindGroups: 0,
        buffers: 0,
        textures: 0,
        submissions: 15,
        readbacks: 15,
      });
      assert.equal(dispatches, 15 * (8 * (LAYERS - 1) + 3 + 2));
    },
    4,
    32,
  ));

Deno.test("between submission and result the event loop does not turn", () =>
  withEngine(
    async (engine) => {
      await engine.flow(prompt(20, 1), OPTIONS);
      const { submit } = GPUQueue.prototype;
      let turned = false;
      let submitted = 0;
      GPUQueue.prototype.submit = function (commands) {
        submit.call(this, commands);
        submitted++;
        turned = false;
        setTimeout(() => turned = true, 0);
      };
      try {
        for (const ids of [prompt(20, 2), prompt(20, 2)]) {
          await engine.flow(ids, OPTIONS);
          assert.equal(turned, false);
        }
      } finally {
        GPUQueue.prototype.submit = submit;
      }
      assert.equal(submitted, 2);
    },
    4,
    20,
  ));

Deno.test("prompts that are asked together take one submission and one readback", () =>
  withEngine(
    async (engine) => {
      await engine.flow(prompt(20, 1), OPTIONS);
      const { submissions, readbacks, dispatches } = await countGpuCalls(async () => {
        await engine.flows([2, 3, 4].map((seed) => ({ ids: prompt(9, seed), options: OPTIONS })));
      });
      assert.deepEqual({ submissions, readbacks }, { submissions: 1, readbacks: 1 });
      // The linears and norms once for all; patterns, mixing, means and flows for each.
      assert.equal(dispatches, 6 * (LAYERS - 1) + 2 + 3 * (2 * (LAYERS - 1) + 1 + 2));
    },
    8,
    20,
  ));
