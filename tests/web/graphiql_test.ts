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
