import assert from "node:assert/strict";
import { createEngine } from "../../src/thread/create_engine.ts";
import type { Question } from "../../src/requests/questions.ts";
import { countGpuCalls } from "../support/count_gpu_calls.ts";
import { BUNDLED } from "../support/fixtures.ts";
import { Random } from "../support/random.ts";

const random = new Random(12);
const PROMPTS = [2, 19, 5, 40, 33, 7].map((tokens) => [
  50256,
  ...Array.from({ length: tokens - 1 }, () => random.below(50_000)),
]);

const QUESTIONS: Record<string, (ids: readonly number[]) => Question> = {
  headScores: (ids) => ({ name: "headScores", argument: { ids, hasBos: true } }),
  nextTokens: (ids) => ({ name: "nextTokens", argument: { ids, k: 5 } }),
};

Deno.test("questions that are answered together are answered as each by itself, to the bit, and leave nothing", async () => {
  const engine = await createEngine({ directory: BUNDLED, cacheBytes: 64 * 2 ** 20 });
  for (const [name, question] of Object.entries(QUESTIONS)) {
    const asked = PROMPTS.map((ids) => ({ question: question(ids), isWanted: () => true }));
    await engine.asks(asked.slice(0, 1), "none"); // what is made once
    const one = await countGpuCalls(async () => {
      await engine.asks(asked.slice(0, 1), "none");
    });
    let together: PromiseSettledResult<unknown>[] = [];
    const { dispatches } = await countGpuCalls(async () => {
      together = await engine.asks(asked, "look");
    });
    // Linears and norms are dispatched once for all prompts, attention and what is asked once for each.
    assert(dispatches < 0.8 * PROMPTS.length * one.dispatches, `${dispatches} for ${name}`);
    assert.equal(engine.cacheStats.entries, 0, name);
    for (const [at, { question: { name, argument } }] of asked.entries()) {
      const [alone] = await engine.asks([{
        question: { name, argument } as Question,
        isWanted: () => true,
      }], "none");
      assert.deepEqual(together[at], alone);
    }
  }
  const unwanted = PROMPTS.map((ids, at) => ({
    question: QUESTIONS.headScores!(at === 1 ? [] : ids),
    isWanted: () => at !== 3,
  }));
  const outcomes = await engine.asks(unwanted);
  assert.deepEqual(outcomes.map(({ status }) => status === "fulfilled"), [
    true,
    false,
    true,
    false,
    true,
    true,
  ]);
  engine.destroy();
});
