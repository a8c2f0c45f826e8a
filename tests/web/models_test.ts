import assert from "node:assert/strict";
import { settled, withPages } from "../support/page.ts";
import { randomModel } from "../support/random_model.ts";
import { tinyConfig, withCheckpoint } from "../support/write_checkpoint.ts";

Deno.test("where a server has several models, the page lets one pick", async () => {
  const shape = { n_layer: 2, n_head: 3, n_embd: 24, n_positions: 32, n_ctx: 32 };
  const config = { ...await tinyConfig(), ...shape, vocab_size: 50257, bos_token_id: 50256 };
  await withCheckpoint(
    { config, tensors: randomModel(config, 5) },
    (directory) =>
      withPages(async (open, origin) => {
        await open(`${origin}/#layer=5`, async (page, record) => {
          await settled(page);
          await page.getByRole("heading", { name: "Layer 5" }).waitFor();
          await page.getByLabel("Model", { exact: true }).selectOption({ index: 1 });
          await page.waitForFunction(() => location.hash.includes("model="));
          await settled(page);
          assert.match((await page.locator("#count").textContent())!, /of 32 tokens/);
          assert.match((await page.locator("#title").textContent())!, /^All layers/);
          assert.equal(await page.locator("#panels .panel").count(), 1 + 2);
          for (const view of ["Heads", "Routes", "What if"]) {
            await page.getByRole("tab", { name: view }).click();
            await settled(page);
          }
          assert.equal(await page.locator("#panels .panel").count(), 2 * 3);
          await page.locator("#forecast tbody tr").first().waitFor();
          assert.deepEqual(record, { strangers: [], complaints: [] });
        });
        await open(`${origin}/#model=gpt5`, async (page) => {
          await settled(page);
          assert.match(
            (await page.locator("#status").textContent())!,
            /no model gpt5 here: bundled/,
          );
          assert.equal(await page.locator("#panels .panel").count(), 1 + 6);
        });
      }, { args: ["--model", "bundled", "--model", directory] }),
  );
});
