import assert from "node:assert/strict";
import { settled, withPages } from "../support/page.ts";

Deno.test("who never saw the page finds the strongest source, the head that carries it, and its effect", () =>
  withPages((open, origin) =>
    open(`${origin}/`, async (page, { complaints }) => {
      await settled(page);
      assert.match((await page.locator("#details caption").textContent())!, /sources of ·to/);
      const first = page.locator("#details tbody tr").first();
      assert.match((await first.textContent())!, /^·gave9.*25\.6%/, "the strongest source");

      await page.getByRole("tab", { name: "Routes" }).click();
      await page.getByRole("heading", { name: "Routes" }).waitFor();
      await settled(page);
      const row = (await page.locator("#details tbody tr").first().textContent())!;
      const [, head] = row.match(/^(\d+\.\d+)Mary → ·to/)!;
      assert.equal(head, "5.1", "the head that carries most");

      await page.getByRole("tab", { name: "What if" }).click();
      await page.getByRole("heading", { name: "All heads on" }).waitFor();
      await settled(page);
      await page.locator(`#panels [data-key="${head}"]`).click();
      await page.getByRole("heading", { name: `Head ${head} off` }).waitFor();
      await page.locator("#forecast thead").getByText("Without").waitFor();
      const mary = (await page.locator("#forecast tbody tr").first().textContent())!;
      const [before, without] = Array.from(mary.matchAll(/([\d.]+)%/g), (m) => Number(m[1]));
      assert(before! > 70 && without! < 30, `its effect: Mary falls from ${before} to ${without}`);
      assert.deepEqual(complaints, []);
    })
  ));
