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

Deno.test("GraphiQL stands up to a prompt full of markup", () =>
  withServer(async ({ origin }) => {
    const prompt = "<script>alert(1)</script><img src=x onerror=alert(1)>";
    const query = `{ infoFlow(prompt: ${
      JSON.stringify(prompt)
    }) { tokens { text } matrix { url } } }`;
    const url = `${origin}/graphql?query=${encodeURIComponent(query)}`;
    await withPage(url, async (page, { strangers, complaints }) => {
      let alerts = 0;
      page.on("dialog", (dialog) => {
        alerts++;
        dialog.dismiss();
      });
      const run = page.getByRole("button", { name: /execute query/i });
      await run.waitFor();
      await page.getByText("infoFlow").first().waitFor();
      await run.click();
      await page.locator(".result-window").getByText("script").first().waitFor();
      assert.equal(await page.locator(".result-window script, .result-window img").count(), 0);
      assert.equal(alerts, 0);
      assert.deepEqual(strangers, []);
      assert.deepEqual(complaints, []);
    });
  }));
