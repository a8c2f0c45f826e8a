import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { AGGREGATIONS, BOS_POLICIES, type FlowOptions } from "../../src/requests/flow_options.ts";
import { attention, flow } from "../reference/flow.ts";
import { assertClose } from "../support/assert_close.ts";
import { withDefaultLimits } from "../support/default_limits.ts";
import { BUNDLED, readReference, TINY } from "../support/fixtures.ts";
import { gpt2SmallShape } from "../support/gpt2_small.ts";

const MIB = 2 ** 20;

/** Makes an engine for as long as `use` runs. */
async function withEngine(
  directory: string,
  use: (engine: Engine) => Promise<void>,
  cacheBytes = 64 * MIB,
): Promise<void> {
  const engine = await createEngine({ directory, cacheBytes });
  try {
    await use(engine);
  } finally {
    engine.destroy();
  }
}

const BY_LAYER: FlowOptions = { byLayer: true, aggregation: "MEAN", bos: "DROP" };

const TENSORS: Record<string, FlowOptions> = {
  info_flow_by_layer: BY_LAYER,
  info_flow_mean: { byLayer: false, aggregation: "MEAN", bos: "DROP" },
  info_flow_notebook: { byLayer: false, aggregation: "NOTEBOOK", bos: "DROP" },
  rollout: { byLayer: false, aggregation: "ROLLOUT", bos: "KEEP" },
};

/** Everything that a file of reference data says, against an engine. */
async function compare(
  engine: Engine,
  name: string,
  atol: { patterns: number; flows: number },
): Promise<void> {
  const { ids, tensors } = await readReference(name);
  const { layers, heads } = engine.info.architecture;
  const expected = tensors.get("patterns");
  if (expected) {
    const patterns = await engine.patterns(ids);
    assertClose(patterns, expected, { atol: atol.patterns });
    checkPatterns(patterns, ids.length);
    // `dropped` and the options that the files have no tensor for.
    for (const aggregation of AGGREGATIONS) {
      for (const byLayer of [false, true]) {
        for (const bos of BOS_POLICIES) {
          const options = { aggregation, byLayer, bos };
          const shape = { layers, heads, tokens: ids.length };
          const reference = flow(expected, shape, options);
          const actual = await engine.flow(ids, options);
          assertClose(actual.flow, reference.flow, { atol: atol.flows });
          assertClose(actual.dropped, reference.dropped, { atol: atol.flows });
        }
      }
    }
  }
  for (const [tensor, options] of Object.entries(TENSORS)) {
    const numbers = tensors.get(tensor);
    if (!numbers) continue;
    const { flow } = await engine.flow(ids, options);
    assertClose(flow, numbers, { atol: atol.flows });
  }
}

function checkPatterns(patterns: Float32Array, tokens: number): void {
  for (let row = 0; row < patterns.length / tokens; row++) {
    const cells = patterns.subarray(row * tokens, (row + 1) * tokens);
    assertClose([cells.reduce((a, b) => a + b)], [1], { atol: 1e-5 });
    assert(cells.subarray(row % tokens + 1).every((cell) => cell === 0), "above the diagonal");
  }
}

// The contract's tolerances. Measured: patterns 1.2e-6, flows 3e-7.
for (const name of ["tiny/T2", "tiny/T5", "tiny/T14", "tiny/T65"]) {
  Deno.test(`an engine agrees with ${name}`, () =>
    withEngine(TINY, (engine) => compare(engine, name, { patterns: 1e-5, flows: 1e-5 })));
}

// Likewise. Measured: patterns 1.7e-6, flows 8e-7.
Deno.test("an engine agrees with all of bundled/", () =>
  withEngine(BUNDLED, async (engine) => {
    for (const name of ["one", "cart", "fox", "repeat", "unicode", "long"]) {
      await compare(engine, `bundled/${name}`, { patterns: 2e-5, flows: 1e-5 });
    }
  }));

// Likewise, at GPT-2 small's shape. Measured: patterns 8e-6, flows 1.2e-6.
Deno.test("an engine agrees with gpt2-small-shape/, T = 14 and 65", async () => {
  await withEngine(await gpt2SmallShape(), async (engine) => {
    for (const name of ["T14", "T65"]) {
      await compare(engine, `gpt2-small-shape/${name}`, { patterns: 1e-4, flows: 1e-5 });
    }
  });
});

Deno.test("an engine agrees with gpt2-small-shape/ at its full context of 1,024 tokens", async () => {
  await withEngine(await gpt2SmallShape(), async (engine) => {
    const { ids, tensors } = await readReference("gpt2-small-shape/T1024");
    const { layers, context } = engine.info.architecture;
    assert.equal(ids.length, context);
    const P = context - 1;
    const mean = await engine.flow(ids, TENSORS.info_flow_mean!);
    assert.equal(mean.cacheHit, false);
    // Measured: 3e-7.
    assertClose(mean.flow, tensors.get("info_flow_mean")!, { atol: 1e-5 });

    const rows = Array.from(tensors.get("rows")!);
    const byLayer = await engine.flow(ids, BY_LAYER);
    assert.equal(byLayer.cacheHit, true);
    const sampled = Array.from({ length: layers }).flatMap((_, l) =>
      rows.flatMap((i) => Array.from(byLayer.flow.subarray((l * P + i) * P, (l * P + i + 1) * P)))
    );
    assertClose(sampled, tensors.get("info_flow_by_layer_rows")!, { atol: 1e-5 });
  }, 512 * MIB);
});

Deno.test("an engine hands out heads at 1,024 tokens, and refuses more than a binding holds", async () => {
  const directory = await gpt2SmallShape();
  const { ids } = await readReference("gpt2-small-shape/T1024");
  // So that layers lie in several buffers, and all heads together are too large, on any adapter.
  await withDefaultLimits(() =>
    withEngine(directory, (engine) => compareHeads(engine, ids), 512 * MIB)
  );
});

/** Heads of the first and the last layer, which lie in different buffers, against their mean and their thumbnails. */
async function compareHeads(engine: Engine, ids: readonly number[]): Promise<void> {
  const { layers, heads } = engine.info.architecture;
  const size = ids.length ** 2;
  const byHead = { byHead: true, bos: "KEEP" } as const;
  const span = Math.ceil(ids.length / 48);
  const thumbnails = await engine.flow(ids, { ...byHead, cells: 48 });
  const cells = thumbnails.shape.at(-1)!;
  assert.deepEqual(thumbnails.shape, [layers, heads, 47, 47]);
  for (const layer of [0, layers - 1]) {
    const { flow } = await engine.flow(ids, { ...byHead, layers: [layer] });
    const { flow: mean } = await engine.flow(ids, { ...BY_LAYER, bos: "KEEP", layers: [layer] });
    const expected = new Float64Array(size);
    flow.forEach((number, i) => expected[i % size]! += number / heads);
    assertClose(mean, expected, { atol: 1e-5 });

    const own = flow.subarray((heads - 1) * size);
    const { flow: pooled } = attention(own, { layers: 1, heads: 1, tokens: ids.length }, {
      bos: "KEEP",
      span,
    });
    const at = ((layer + 1) * heads - 1) * cells ** 2;
    assertClose(thumbnails.flow.subarray(at, at + cells ** 2), pooled, { atol: 1e-5 });
  }
  const before = engine.cacheStats;
  const limit = 128 * MIB;
  if (layers * heads * size * 4 > limit) {
    await assert.rejects(() => engine.flow(ids, byHead), {
      code: "MATRIX_TOO_LARGE",
      message:
        /Cannot allocate flows of 60\d,\d{3},\d{3} bytes: .*; ask .* for fewer matrices of it/,
    });
  }
  assert.equal(engine.cacheStats.entries, before.entries, "no prompt was given up for it");
}

Deno.test("an engine runs prompts of every length from 1 to the context", () =>
  withEngine(TINY, async (engine) => {
    const { context } = engine.info.architecture;
    assert.equal(context, 67);
    const ids = Array.from({ length: context }, (_, t) => (t * 97 + 13) % 331);
    const whole = await engine.patterns(ids);
    const { layers, heads } = engine.info.architecture;
    for (let tokens = 1; tokens < context; tokens++) {
      const patterns = await engine.patterns(ids.slice(0, tokens));
      checkPatterns(patterns, tokens);
      // Causal: the patterns of a beginning are the corners of those of the whole, to the bit, as no sum of a row
      // depends on how many rows there are.
      const corners: number[][] = Array.from({ length: layers * heads * tokens }, (_, row) => {
        const start = (Math.floor(row / tokens) * context + row % tokens) * context;
        return Array.from(whole.subarray(start, start + tokens));
      });
      assert.deepEqual(Array.from(patterns), corners.flat(), `T = ${tokens}`);
    }
  }));

Deno.test("two runs of an engine give identical bytes", () =>
  withEngine(BUNDLED, async (engine) => {
    const { ids } = await readReference("bundled/fox");
    const first = await engine.flow(ids, BY_LAYER);
    const cached = await engine.flow(ids, BY_LAYER);
    assert.deepEqual([first.cacheHit, cached.cacheHit], [false, true]);
    assert.deepEqual(cached.flow, first.flow);
    await withEngine(BUNDLED, async (other) => {
      const again = await other.flow(ids, BY_LAYER);
      assert.equal(other.info.fingerprint, engine.info.fingerprint);
      assert.equal(again.cacheHit, false);
      assert.deepEqual(again.flow, first.flow);
      assert.deepEqual(again.dropped, first.dropped);
    });
  }));

Deno.test("an engine answers every option from cached patterns", () =>
  withEngine(TINY, async (engine) => {
    const ids = [330, 5, 43, 95, 161];
    for (const aggregation of AGGREGATIONS) {
      for (const byLayer of [false, true]) {
        for (const bos of BOS_POLICIES) await engine.flow(ids, { aggregation, byLayer, bos });
      }
    }
    const { hits, misses, entries } = engine.cacheStats;
    assert.deepEqual({ hits, misses, entries }, { hits: 17, misses: 1, entries: 1 });
  }));

/** Ids of a prompt of the tiny model. */
function tinyPrompt(tokens: number, seed = 13): number[] {
  return [330, ...Array.from({ length: tokens - 1 }, (_, t) => (t * 97 + seed) % 330)];
}

Deno.test("a prompt that is the beginning of a cached one is answered from its corner", () =>
  withEngine(TINY, async (engine) => {
    const ids = tinyPrompt(60);
    await engine.flow(ids, BY_LAYER);
    await withEngine(TINY, async (other) => {
      for (const tokens of [2, 5, 16, 17, 59]) {
        const corner = await engine.flow(ids.slice(0, tokens), BY_LAYER);
        assert.equal(corner.cacheHit, true);
        const cold = await other.flow(ids.slice(0, tokens), BY_LAYER);
        assert.deepEqual(corner.flow, cold.flow);
        assert.deepEqual(corner.dropped, cold.dropped);
      }
    }, 0);
    assert.equal(engine.cacheStats.entries, 1);
  }));

Deno.test("a prompt that is typed on gives the same bytes as a cold one, at every split", () =>
  withEngine(TINY, async (cold) => {
    const ids = tinyPrompt(40);
    const expected = await cold.patterns(ids);
    const rollout: FlowOptions = { byLayer: true, aggregation: "ROLLOUT", bos: "KEEP" };
    const expectedFlow = await cold.flow(ids, rollout);
    for (let split = 1; split < ids.length; split++) {
      await withEngine(TINY, async (engine) => {
        await engine.flow(ids.slice(0, split), rollout);
        const typedOn = await engine.flow(ids, rollout);
        assert.equal(typedOn.cacheHit, false);
        assert.deepEqual(typedOn.flow, expectedFlow.flow, `split at ${split}`);
        assert.deepEqual(await engine.patterns(ids), expected, `split at ${split}`);
      });
    }
  }, 0));

Deno.test("typing letter by letter keeps one entry, also past its capacity and after another prompt", () =>
  withEngine(TINY, async (engine) => {
    await withEngine(TINY, async (cold) => {
      const ids = tinyPrompt(50);
      for (let tokens = 2; tokens <= ids.length; tokens++) {
        const { flow } = await engine.flow(ids.slice(0, tokens), BY_LAYER);
        assert.deepEqual(flow, (await cold.flow(ids.slice(0, tokens), BY_LAYER)).flow);
        assert.equal(engine.cacheStats.entries, tokens < 30 ? 1 : 2);
        // What is typed on need not be what was asked last.
        if (tokens === 29) await engine.flow(tinyPrompt(20, 50), BY_LAYER);
      }
    }, 0);
  }));

Deno.test("a prompt edited in the middle goes on from what is left of its beginning", () =>
  withEngine(TINY, async (engine) => {
    const ids = tinyPrompt(60);
    const edited = ids.with(30, 7);
    await engine.flow(ids, BY_LAYER);
    await withEngine(TINY, async (cold) => {
      for (const prompt of [edited, edited.slice(0, 45), ids]) {
        assert.deepEqual(
          (await engine.flow(prompt, BY_LAYER)).flow,
          (await cold.flow(prompt, BY_LAYER)).flow,
        );
      }
    }, 0);
    const { entries, hits, misses } = engine.cacheStats;
    assert.deepEqual({ entries, hits, misses }, { entries: 2, hits: 2, misses: 2 });
  }));

Deno.test("prompts computed together give the same bytes as alone, and each its own error", () =>
  withEngine(TINY, async (engine) => {
    const prompts = [3, 17, 5, 9, 3, 30].map((tokens, i) => tinyPrompt(tokens, i === 4 ? 0 : i));
    const requests = [...prompts, prompts[1]!].map((ids) => ({ ids, options: BY_LAYER }));
    const outcomes = await engine.flows([
      ...requests,
      { ids: [330], options: BY_LAYER },
      { ids: prompts[0]!, options: { byLayer: false, aggregation: "ROLLOUT", bos: "KEEP" } },
    ]);
    await withEngine(TINY, async (cold) => {
      for (const [index, request] of requests.entries()) {
        const outcome = outcomes[index]!;
        assert(outcome.status === "fulfilled");
        const alone = await cold.flow(request.ids, request.options);
        assert.deepEqual(outcome.value.flow, alone.flow);
        assert.equal(outcome.value.cacheHit, [4, 6].includes(index), `request ${index}`);
      }
    }, 0);
    assert.equal(outcomes[7]!.status, "rejected");
    const last = outcomes[8]!;
    assert(last.status === "fulfilled");
    assert.equal(last.value.flow.length, 3 * 3);
    const { hits, misses, entries } = engine.cacheStats;
    assert.deepEqual({ hits, misses, entries }, { hits: 3, misses: 5, entries: 5 });
  }));

Deno.test("an engine keeps to its budget, and answers correctly after an eviction", () =>
  withEngine(TINY, async (engine) => {
    const prompts = Array.from({ length: 6 }, (_, n) => [n, n, n + 1, n + 2]);
    const first = await Promise.all(prompts.slice(0, 1).map((ids) => engine.flow(ids, BY_LAYER)));
    for (const ids of prompts) await engine.flow(ids, BY_LAYER);
    const { bytes, budget, evictions } = engine.cacheStats;
    assert(bytes <= budget, `${bytes} of ${budget}`);
    assert(evictions > 0);
    const again = await engine.flow(prompts[0]!, BY_LAYER);
    assert.equal(again.cacheHit, false);
    assert.deepEqual(again.flow, first[0]!.flow);
  }, 60_000));

Deno.test("an engine with no room to keep anything answers all the same", () =>
  withEngine(TINY, async (engine) => {
    const ids = [330, 5, 43, 95, 161];
    const { flow } = await engine.flow(ids, BY_LAYER);
    const again = await engine.flow(ids, BY_LAYER);
    assert.equal(again.cacheHit, false);
    assert.deepEqual(again.flow, flow);
    assert.equal(engine.cacheStats.entries, 0);
  }, 0));

Deno.test("an engine refuses ids that are no prompt of its model's", () =>
  withEngine(TINY, async (engine) => {
    const message = /2 to 67 tokens: current value is/;
    await assert.rejects(() => engine.flow([], BY_LAYER), { name: "RangeError", message });
    await assert.rejects(() => engine.flow([330], BY_LAYER), { name: "RangeError", message });
    const long = new Array(68).fill(1);
    await assert.rejects(() => engine.flow(long, BY_LAYER), { name: "RangeError", message });
    for (const id of [331, -1, 1.5, NaN]) {
      await assert.rejects(() => engine.flow([330, id], BY_LAYER), {
        name: "RangeError",
        message: /token ids must lie below 331/,
      });
    }
    const { flow } = await engine.flow([330], { ...BY_LAYER, bos: "KEEP" });
    assert.deepEqual(Array.from(flow), [1, 1, 1]);
  }));
