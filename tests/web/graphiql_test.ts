import assert from "node:assert/strict";
import { withPage } from "../support/browser.ts";
import { withServer } from "../support/serve.ts";

Deno.test("GraphiQL opens in Chromium with a query that runs, and asks nobody else for anything", () =>
  withServer(async ({ origin }) => {
    await withPage(`${origin}/graphql`, async (page, { strangers, complaints }) => {
      const run = page.getByRole("button", { name: /execute query/i });
      await run.waitFor();
      // The editor has loaded when the query is on the screen.
      await page.getByText("infoFlow").first().waitFor();
      await run.click();
      const answer = page.locator(".result-window");
      await answer.getByText('"cacheHit": false').waitFor();
      await answer.getByText('"Mary"').waitFor();
      await run.click();
      await answer.getByText('"cacheHit": true').waitFor();
      assert.deepEqual(strangers, []);
      assert.deepEqual(complaints, []);
    });
  }));

Deno.test("the page's links lead somewhere", () =>
  withServer(async ({ origin }) => {
    await withPage(`${origin}/`, async (page) => {
      const links = await page.getByRole("link").all();
      const targets = await Promise.all(links.map((link) => link.getAttribute("href")));
      assert(targets.length >= 4);
      for (const target of targets) {
        const response = await fetch(new URL(target!, origin));
        await response.body?.cancel();
        assert.equal(response.status, 200, target!);
      }
    });
  }));
