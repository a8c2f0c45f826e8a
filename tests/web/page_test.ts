import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { withBrowser } from "../support/browser.ts";
import { withServer } from "../support/serve.ts";

/** Waits until the picture is of what the controls say. */
export async function settled(page: Page): Promise<void> {
  await page.locator("#picture[aria-busy=false]").waitFor();
}

Deno.test("the page, in Chromium", (t) =>
  withServer(({ origin }) =>
    withBrowser(async (open) => {
      await t.step("draws the example, and asks nobody else for anything", () =>
        open(`${origin}/`, async (page, record) => {
          await settled(page);
          assert.equal(await page.locator(".targets text").count(), 13);
          assert.equal(await page.locator(".targets text").first().textContent(), "Mary");
          assert.match(await page.locator("#count").textContent() ?? "", /14 of 256 tokens/);
          assert.equal(await page.locator("#panels .panel").count(), 1 + 6);
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }));
    })
  ));
