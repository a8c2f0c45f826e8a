// A model whose unembedding is a matrix of its own: what needs logits makes them with that.
import assert from "node:assert/strict";
import { createEngine } from "../../src/thread/create_engine.ts";
import { assertClose } from "../support/assert_close.ts";
import { randomModel } from "../support/random_model.ts";
import { readModel } from "../support/read_model.ts";
import { tinyConfig, withCheckpoint } from "../support/write_checkpoint.ts";
import { forward } from "../reference/gpt2.ts";
import { logits, top } from "../reference/predictions.ts";

const IDS = [3, 1, 4, 1, 5];

Deno.test("an untied unembedding makes logits, their parts and the lens", async () => {
  const config = { ...await tinyConfig(), tie_word_embeddings: false };
  const tensors = randomModel(config, 5);
  assert(tensors.has("lm_head.weight"));
  await withCheckpoint({ config, tensors }, async (directory) => {
    const { architecture, weights } = await readModel(directory);
    const { channels: C } = architecture;
    const layers = forward(architecture, weights, IDS);
    const row = logits(architecture, weights, layers.at(-1)!.residPost.slice(-C));
    const engine = await createEngine({ directory, cacheBytes: 2 ** 24 });
    try {
      const { top: next } = await engine.ask("nextTokens", { ids: IDS, k: 9 });
      assert.deepEqual(next.ids, top(row, 9));
      // Sums of 40 products of size 1 in float32. Measured: 2e-7 at logits of 1.3.
      assertClose(next.logits, next.ids.map((id) => row[id]!), { atol: 2e-6, rtol: 0 });
      const { parts } = await engine.ask("attribution", { ids: IDS, token: 7 });
      const sum = parts.reduce((total, { value }) => total + value, 0);
      assertClose([sum], [row[7]!], { atol: 1e-5, rtol: 0 });
      const { tops } = await engine.ask("logitLens", { ids: IDS, k: 3 });
      assert.deepEqual(tops.at(-1)!.ids, top(row, 3));
    } finally {
      engine.destroy();
    }
  });
});

Deno.test("a model that declares an untied unembedding without having one is refused", () =>
  withCheckpoint({ config: {} }, async (directory) => {
    const config = { ...await tinyConfig(), tie_word_embeddings: false };
    await Deno.writeTextFile(`${directory}/config.json`, JSON.stringify(config));
    await assert.rejects(() => createEngine({ directory, cacheBytes: 0 }), {
      message: /weights have no tensor lm_head\.weight/,
    });
  }));
