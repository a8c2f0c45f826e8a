// A pass for an autoencoder ends at its layer, and a later question goes on from there: whatever is asked in whatever
// order, the answers are those of an engine that keeps nothing.
import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { assertClose } from "../support/assert_close.ts";
import { countGpuCalls } from "../support/count_gpu_calls.ts";
import { BUNDLED, FIXTURES, SAES, TINY } from "../support/fixtures.ts";
import { Random } from "../support/random.ts";

/** Of one answer: its numbers, one after the other. */
type Numbers = readonly number[];

function numbersIn(value: unknown): Numbers {
  if (typeof value === "number") return [value];
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>);
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(numbersIn);
}

type Ask = (engine: Engine, ids: readonly number[]) => Promise<unknown>;

const FLOW = { byLayer: true, aggregation: "MEAN", bos: "DROP" } as const;
const QUESTIONS: Readonly<Record<string, Ask>> = {
  patterns: (engine, ids) => engine.patterns(ids),
  flow: (engine, ids) => engine.flow(ids, FLOW),
  alti: (engine, ids) => engine.flow(ids, { ...FLOW, method: "ALTI" }),
  nextTokens: (engine, ids) => engine.ask("nextTokens", { ids, k: 5 }),
  logitLens: (engine, ids) => engine.ask("logitLens", { ids, k: 2 }),
  ...Object.fromEntries(SAES.flatMap((sae): [string, Ask][] => [
    [`features of ${sae}`, (engine, ids) => engine.ask("features", { ids, sae })],
    [`flow of a feature of ${sae}`, (engine, ids) => {
      const { config } = engine.info.saes.find(({ name }) => name === sae)!;
      // No flow is defined for features of an MLP.
      if (["MLP_OUT", "LN2_NORMALIZED"].includes(config.site)) return Promise.resolve([]);
      return engine.ask("featureFlow", { ids, sae, feature: 1, target: undefined });
    }],
  ])),
};

/** An engine that keeps what it computes, and one that keeps nothing. */
async function withEngines(
  test: (kept: Engine, anew: Engine) => Promise<void>,
  directory = TINY,
): Promise<void> {
  const saes = directory === TINY
    ? SAES.map((name) => ({ name, directory: new URL(`sae/${name}`, FIXTURES).pathname }))
    : ["res-4", "z-3"].map((name) => ({ name, directory: `${directory}sae/${name}` }));
  const kept = await createEngine({ directory, cacheBytes: 2 ** 28, saes });
  const anew = await createEngine({ directory, cacheBytes: 0, saes });
  try {
    await test(kept, anew);
  } finally {
    kept.destroy();
    anew.destroy();
  }
}

Deno.test("a pass for an autoencoder ends at its layer, and no layer is computed twice", () =>
  withEngines(async (engine) => {
    const { architecture, saes } = engine.info;
    const { layers, vocabulary } = architecture;
    const { name: sae } = saes.find(({ config }) =>
      config.site === "RESID_PRE" && config.layer === 1
    )!;
    const prompt = (seed: number): number[] =>
      Array.from({ length: 20 }, (_, at) => (97 * at + 31 * seed) % vocabulary);
    const dispatches = async (name: string, ids: readonly number[]): Promise<number> =>
      (await countGpuCalls(async () => {
        await QUESTIONS[name]!(engine, ids);
      })).dispatches;
    const features = `features of ${sae}`;
    const flow = `flow of a feature of ${sae}`;
    for (const name of ["flow", features, flow, "nextTokens"]) {
      await QUESTIONS[name]!(engine, prompt(1));
    }
    const whole = await dispatches("flow", prompt(2));
    // Queries, keys, values and patterns of the layer are there; its stream takes the other five.
    const encoding = await dispatches(features, prompt(2)) - 5;
    const ended = await dispatches(features, prompt(3));
    assert.equal(ended, 8 + 1 + encoding); // and the means over heads
    assert.equal(await dispatches(features, prompt(3)), 0);
    const alone = await dispatches(flow, prompt(3)); // from what the pass left, with no layer of its own
    assert(alone > 0);
    assert.equal(await dispatches(flow, prompt(3)), alone);
    assert.equal(await dispatches("flow", prompt(3)), whole - 8);
    assert.equal(await dispatches("flow", prompt(3)), 1);
    assert.equal(await dispatches(features, prompt(4)), ended);
    // The unembedding takes one for the norm and two for each block of the vocabulary; here it is one block.
    assert.equal(await dispatches("nextTokens", prompt(4)), 8 * (layers - 1) + 1 + 3);
    assert.equal(await dispatches("nextTokens", prompt(4)), 3);
    assert.equal(await dispatches("flow", prompt(4)), 1);
  }));

Deno.test("what is left out at first and computed later is the same, to the bit", () =>
  withEngines(async (kept, anew) => {
    const random = new Random(20261127);
    const names = Object.keys(QUESTIONS);
    const { vocabulary } = kept.info.architecture;
    for (let round = 0; round < 24; round++) {
      const ids = Array.from({ length: 2 + random.below(20) }, () => random.below(vocabulary));
      for (let n = 0; n < 4; n++) {
        const name = names[random.below(names.length)]!;
        const [here, there] = [
          await QUESTIONS[name]!(kept, ids),
          await QUESTIONS[name]!(anew, ids),
        ];
        const [a, b] = [numbersIn(here), numbersIn(there)];
        assert.deepEqual(a, b, `${name}, ${ids.length} tokens, round ${round}`);
      }
    }
  }));

Deno.test("prompts that are typed on, or begin alike, after passes that ended", () =>
  withEngines(async (kept, anew) => {
    const random = new Random(20261128);
    const names = Object.keys(QUESTIONS);
    const { vocabulary } = kept.info.architecture;
    let ids: number[] = [];
    for (let round = 0; round < 60; round++) {
      const isNew = ids.length > 30 || round % 12 === 0;
      const length = isNew ? 0 : random.below(4) > 0 ? ids.length : random.below(ids.length) + 1;
      const more = Array.from({ length: 2 + random.below(4) }, () => random.below(vocabulary));
      ids = [...ids.slice(0, length), ...more];
      for (let n = 0; n < 2; n++) {
        const name = names[random.below(names.length)]!;
        const [here, there] = [
          await QUESTIONS[name]!(kept, ids),
          await QUESTIONS[name]!(anew, ids),
        ];
        // Some rows take other kernels than all rows do: the sums are rounded in another order.
        assertClose(numbersIn(here), numbersIn(there), { atol: 2e-5 });
      }
    }
  }));

Deno.test("the same where a pass goes in pieces, and where the second of them was cancelled", () =>
  withEngines(async (kept, anew) => {
    // Until a device is known, so many tokens count as long.
    const ids = Array.from({ length: 256 }, (_, at) => (7919 * at) % 50_257);
    await kept.ask("features", { ids, sae: "z-3" });
    let looks = 0;
    const isWanted = (): boolean => ++looks < 3;
    await assert.rejects(() => kept.ask("nextTokens", { ids, k: 3 }, isWanted), {
      code: "CANCELLED",
    });
    const again = await kept.ask("features", { ids, sae: "z-3" });
    assert.equal(again.cacheHit, true);
    const { top, cacheHit } = await kept.ask("nextTokens", { ids, k: 3 });
    assert.equal(cacheHit, false);
    assert.deepEqual(top, (await anew.ask("nextTokens", { ids, k: 3 })).top);
    assert.deepEqual(await kept.patterns(ids), await anew.patterns(ids));
  }, BUNDLED));
