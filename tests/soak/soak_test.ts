// The short version of `deno task soak`.
import assert from "node:assert/strict";
import { runFaults } from "./run_faults.ts";
import { soak } from "./run_load.ts";

Deno.test("at twice the load that can be served, each answer is right or a refusal with its code", async () => {
  const { load, exitCode, news } = await soak({ seed: 1, seconds: 5, prompts: 30, longest: 256 });
  assert.equal(load.wrong, 0);
  assert.equal(load.strange, 0, load.example);
  assert.equal(load.broken, 0);
  assert(load.right > 0);
  assert(news.every((line) => line.includes('"event":"server"')), news.join("\n"));
  assert.equal(exitCode, 0);
});

Deno.test("whatever happens to it under load, it answers as before", async () => {
  const seed = Number(Deno.env.get("INFOFLOW_SEED") ?? 1); // `deno task soak` roams
  const { happened, answers } = await runFaults({ seed, faults: 6, backMs: 60_000 });
  assert(Object.values(happened).every((times) => times > 0));
  assert(answers.right! > 0);
});
