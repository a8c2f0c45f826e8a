// The short versions of `deno task fuzz`, which roams; here the seed is always the same, or INFOFLOW_SEED.
import assert from "node:assert/strict";
import { withApp } from "../support/app.ts";
import { fuzzGraphQL, fuzzLinks } from "./endpoints.ts";
import { fuzzModelFiles } from "./model_files.ts";
import { fuzzSafetensors } from "./safetensors.ts";
import { fuzzTokens } from "./tokens.ts";

const seed = Number(Deno.env.get("INFOFLOW_SEED") ?? 1);

function fuzzed(name: string, run: () => Promise<void>): void {
  Deno.test(name, async () => {
    console.log(`INFOFLOW_SEED=${seed}`);
    await run();
  });
}

fuzzed("mutated safetensors files: our verdict is the reference's", async () => {
  const { unexplained, verdicts } = await fuzzSafetensors(20_000, seed, 1000);
  assert.deepEqual(unexplained, []);
  assert(Object.keys(verdicts).length > 8, JSON.stringify(verdicts));
});

fuzzed("mutated files of checkpoints, guided by coverage: each is read or refused", async () => {
  const { verdicts, kept } = await fuzzModelFiles(3000, seed);
  assert(verdicts["tokenizer.json is read"]! > 100, JSON.stringify(verdicts));
  assert(verdicts["tokenizer.json is refused"]! > 100, JSON.stringify(verdicts));
  assert(kept > 10, `${kept} inputs reached new code`);
});

fuzzed(
  "queries that know the schema: each answer is right or has a code",
  () =>
    withApp(async ({ fetch }) => {
      const { answers } = await fuzzGraphQL(fetch, 1000, seed);
      assert(answers.OK! > 100, JSON.stringify(answers));
    }),
);

fuzzed("links to Arrow: each answer is right or has a code", () =>
  withApp(async ({ fetch }) => {
    const { answers } = await fuzzLinks(fetch, 1000, seed);
    assert(answers.OK! > 100, JSON.stringify(answers));
  }));

fuzzed("random Unicode: our tokens are tiktoken's", async () => {
  const { different } = await fuzzTokens(10_000, seed);
  assert.deepEqual(different, []);
});
