import assert from "node:assert/strict";
import { fakeRun } from "../corpus/fake_run.ts";
import { objectionsTo } from "../support/axe.ts";
import { settled, withPages } from "../support/page.ts";

Deno.test("a finished run in a browser: a statistic and a head are chosen, an example opens in the other views with a click", async () => {
  const directory = await Deno.makeTempDir();
  const prompts = Array.from(
    { length: 12 },
    (_, i) => `The cat sat on mat ${i}, and "then" it left`,
  );
  await Deno.writeTextFile(`${directory}/rows.txt`, prompts.join("\n"));
  await fakeRun({ input: `${directory}/rows.txt`, directory: `${directory}/run` });
  try {
    await withPages((open, origin) =>
      open(`${origin}/`, async (page, record) => {
        await settled(page);
        await page.locator("#corpus").click();
        await page.waitForURL(/\/corpus$/);
        await page.locator("select[name=statistic]").selectOption("entropy_mean");
        await page.locator("form button").first().click();
        await page.waitForURL(/statistic=entropy_mean/);
        await page.locator('a[href*="head=1.2"]').click();
        assert.equal(await page.locator("h2#head").textContent(), "Head 1.2");
        assert.deepEqual(await objectionsTo(page), []);
        const example = page.locator("ol.head-examples li").first();
        const text = prompts[Number((await example.textContent())!.match(/row (\d+)/)![1])]!;

        await example.getByText("open this head").click();
        await settled(page);
        assert.equal(await page.locator("#prompt").inputValue(), text);
        assert.match((await page.locator("#title").textContent())!, /^Layer 1, head 2/);
        await page.goBack();
        await example.getByText("its flow").click();
        await settled(page);
        assert.equal(await page.locator("#prompt").inputValue(), text);
        assert.match(page.url(), /view=flow/);
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }), { args: ["--corpus", `${directory}/run`] });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
