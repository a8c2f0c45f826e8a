import assert from "node:assert/strict";
import { setOption, settled, unfold, withPages } from "../support/page.ts";

const DEADLINE = JSON.stringify({ title: "Took longer than 30 s", code: "DEADLINE_EXCEEDED" });

Deno.test("what stands on the screen is what its labels say", (t) =>
  withPages(async (open, origin) => {
    await t.step(
      "while an answer is late, the old picture is marked, titled, and stays here",
      () =>
        open(`${origin}/#layer=3`, async (page) => {
          await settled(page);
          await page.waitForLoadState("networkidle");
          let letGo = (): void => {};
          const held = new Promise<void>((resolve) => letGo = resolve);
          await page.route("**/info-flow.arrow*", async (route) => {
            await held;
            await route.continue();
          });
          await page.locator("#prompt").fill("The cat sat");
          await setOption(page, "Method", "ALTI");
          await page.locator("#picture.stale").waitFor();
          await page.waitForFunction(() =>
            Number(getComputedStyle(document.querySelector("#picture")!).opacity) < 0.6
          );
          const title = `${await page.locator("#title").textContent()} ${await page.locator("#of")
            .textContent()}`;
          assert.match(title, /Layer 3.*attention.*Mary and John/);
          assert.match((await page.locator("#says").textContent())!, /^Where heads look/);
          assert.equal(await page.locator("#take button").first().isDisabled(), true);
          assert.equal(await page.locator("#arrow").getAttribute("href"), null);
          assert.match(
            (await page.locator("#forecast").textContent())!,
            /Mary/,
            "of what is shown",
          );
          letGo();
          await settled(page);
          assert.match((await page.locator("#of").textContent())!, /ALTI.*The cat sat/);
          assert.equal(await page.locator("#take button").first().isDisabled(), false);
          assert.match(await page.title(), /^The cat sat · Flow · Infoflow$/);
        }),
    );

    await t.step(
      "a forecast of the prompt before it never stands beside a picture",
      () =>
        open(`${origin}/`, async (page) => {
          await page.locator("#forecast tbody tr").first().waitFor();
          await page.route("**/graphql", async (route) => {
            if (!route.request().postData()?.includes("nextTokens")) return route.continue();
            await new Promise((resolve) => setTimeout(resolve, 700));
            await route.continue().catch(() => {});
          });
          await page.locator("#prompt").fill("The cat sat");
          await page.waitForFunction(() => location.hash.includes("cat"));
          await settled(page);
          assert.equal(await page.locator("#forecast").textContent(), "");
          await page.locator("#forecast tbody tr").first().waitFor();
        }),
    );

    await t.step(
      "a long computation says how long, and can be cancelled",
      () =>
        open(`${origin}/`, async (page) => {
          await settled(page);
          await page.route("**/info-flow.arrow*", () => {}); // never answered
          await setOption(page, "Method", "VALUE_ZEROING");
          await page.locator("#status", { hasText: /Reading .* 1 s$/ }).waitFor();
          await page.keyboard.press("Escape");
          await page.getByRole("button", { name: "Cancel" }).click();
          await page.unroute("**/info-flow.arrow*");
          await settled(page);
          assert.match((await page.locator("#of").textContent())!, /^attention/);
          assert.equal(await page.locator("#option-method").inputValue(), "ATTENTION");
          assert.equal(await page.locator("#chips button").count(), 0);
        }),
    );

    await t.step(
      "two time-outs in a row stop and say so; one does not",
      () =>
        open(`${origin}/`, async (page) => {
          await settled(page);
          let asked = 0;
          await page.route("**/info-flow.arrow*method=ALTI*", (route) => {
            asked++;
            return route.fulfill({
              status: 503,
              headers: { "content-type": "application/problem+json" },
              body: DEADLINE,
            });
          });
          await setOption(page, "Method", "ALTI");
          await page.locator("#status", { hasText: /Took longer than 30 s\. Twice in a row/ })
            .waitFor();
          const before = asked;
          await page.waitForTimeout(2500);
          assert.equal(asked, before, "it asks no more by itself");
          await page.keyboard.press("Escape");
          await page.getByRole("button", { name: "Back to what is shown" }).click();
          await settled(page);
          assert.match((await page.locator("#of").textContent())!, /^attention/);
        }),
    );

    await t.step(
      "a refusal is the server's own sentence, with a way back",
      () =>
        open(`${origin}/`, async (page) => {
          await settled(page);
          await page.route("**/info-flow.arrow*method=VALUE_ZEROING*", (route) =>
            route.fulfill({
              status: 413,
              headers: { "content-type": "application/problem+json" },
              body: JSON.stringify({
                title: "Cannot zero values of 300 tokens: 128 at most",
                code: "MATRIX_TOO_LARGE",
              }),
            }));
          await setOption(page, "Method", "VALUE_ZEROING");
          await page.locator("#status", {
            hasText: "Cannot zero values of 300 tokens: 128 at most.",
          })
            .waitFor();
          assert.equal(await page.locator("#picture.stale").count(), 1);
          await page.keyboard.press("Escape");
          await page.getByRole("button", { name: "Back to what is shown" }).click();
          await settled(page);
        }),
    );

    await t.step(
      "routes and scores that nobody waits for are broken off",
      () =>
        open(`${origin}/#view=routes`, async (page) => {
          await settled(page);
          const broken: string[] = [];
          page.on("requestfailed", (request) => broken.push(request.postData() ?? ""));
          await page.route("**/graphql", async (route) => {
            const asked = route.request().postData() ?? "";
            if (/query (Routes|Scores)/.test(asked)) return; // never answered
            await route.continue().catch(() => {});
          });
          for (
            const [hash, query] of [["view=routes", "Routes"], ["view=heads&sort=bos", "Scores"]]
          ) {
            const asked = page.waitForRequest((request) =>
              request.postData()?.includes(`query ${query}`) ?? false
            );
            await page.evaluate((link) => location.hash = link, `#prompt=${query}&${hash}`);
            await asked;
            await page.evaluate(() => location.hash = "#prompt=other&view=flow");
            await page.waitForFunction(() => document.title.startsWith("other"));
            assert(broken.some((one) => one.includes(`query ${query}`)), `${query} goes on`);
          }
        }),
    );

    await t.step(
      "a prompt that ends with a space is told what comes of it",
      () =>
        open(`${origin}/#prompt=The%20cat%20`, async (page) => {
          await page.locator("#status", { hasText: /ends with a space/ }).waitFor();
        }),
    );

    await t.step(
      "the demo model says what it is, and every option what it does",
      () =>
        open(`${origin}/`, async (page) => {
          await settled(page);
          await page.getByText("Small demo model, not GPT-2").click();
          await page.getByText("./run weights gpt2").waitFor();
          await unfold(page, "Options");
          for (const help of await page.locator(".help").all()) {
            await help.click();
            const says = page.locator(`#${await help.getAttribute("aria-controls")}`);
            assert((await says.textContent())!.length > 30);
          }
          const paper = page.getByRole("link", { name: "Abnar & Zuidema 2020" }).first();
          assert.match((await paper.getAttribute("href"))!, /^https:\/\/aclanthology\.org\//);
          await page.keyboard.press("Escape");
          await page.getByText("How to read this").click();
          await page.getByText("each column").waitFor();
        }),
    );
  }));
