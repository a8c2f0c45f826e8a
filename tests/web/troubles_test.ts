import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { ask, settled, withPages } from "../support/page.ts";

/** What the page says about what is wrong, once it does. */
async function message(page: Page, kind: string): Promise<string> {
  const status = page.locator(`#status[data-kind="${kind}"]`);
  await status.waitFor();
  return (await status.textContent())!;
}

Deno.test("what can go wrong with the page", (t) =>
  withPages(async (open, origin) => {
    await t.step(
      "an empty prompt, and a prompt that is too long, say so and keep the picture",
      () =>
        open(`${origin}/`, async (page) => {
          await settled(page);
          await page.locator("#prompt").fill("");
          assert.match(await message(page, "empty"), /^Type a prompt/);
          assert.equal(await page.locator(".targets text").count(), 13);
          await page.locator("#prompt").fill("word ".repeat(300));
          assert.match(
            await message(page, "too-long"),
            /has 3\d\d tokens, .* takes 256.* Shorten it by/,
          );
          assert.match((await page.locator("#count").textContent())!, /^3\d\d of 256 tokens$/);
          await ask(page, "word");
          assert.equal(await page.locator("#status").textContent(), "");
        }),
    );

    await t.step("a megabyte of one emoji and a NUL are answered in words or a picture", () =>
      open(`${origin}/`, async (page, { complaints }) => {
        await settled(page);
        await page.locator("#prompt").evaluate((box: HTMLTextAreaElement) => {
          box.value = "🍣".repeat(250_000);
          box.dispatchEvent(new Event("input", { bubbles: true }));
        });
        assert.match(await message(page, "too-long"), /limit of its body is/);
        // Chromium itself reports each answer that is an error.
        assert(complaints.every((text) =>
          text.startsWith("Failed to load resource")
        ));
        await ask(page, "a\0b");
        assert.deepEqual(await page.locator(".targets text").allTextContents(), ["a", "␀", "b"]);
      }));

    await t.step("a prompt whose links would be too long is asked for in GraphQL", () =>
      open(`${origin}/`, async (page, { complaints }) => {
        await ask(page, "=".repeat(64 * 100));
        assert((await page.locator("#arrow").getAttribute("href"))!.length > 16_384);
        assert((await page.locator(".targets text").count()) > 12);
        await page.getByRole("tab", { name: "Heads" }).click();
        await settled(page);
        await page.locator('#panels [data-key="1.2"]').click();
        await page.getByRole("heading", { name: "Layer 1, head 2" }).waitFor();
        assert.deepEqual(complaints, []);
      }));

    await t.step("offline, it says so, and goes on by itself when the server is back", () =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        await page.context().setOffline(true);
        await page.locator("#prompt").fill("The cat sat");
        assert.match(await message(page, "gone"), /The server does not answer/);
        assert.equal(await page.locator(".targets text").count(), 13, "the old picture stays");
        await page.context().setOffline(false);
        await settled(page);
        assert.equal(await page.locator(".targets text").count(), 3);
        assert.equal(await page.locator("#status").textContent(), "");
      }));

    await t.step("overloaded, it says so, waits as long as it is told to, and asks again", () =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        let refusals = 0;
        await page.route("**/info-flow.arrow*", (route) => {
          if (refusals++ > 0) {
            return route.fallback();
          }
          return route.fulfill({
            status: 503,
            headers: { "content-type": "application/problem+json", "retry-after": "1" },
            body: JSON.stringify({ title: "Too many prompts at once", code: "OVERLOADED" }),
          });
        });
        await page.locator("#prompt").fill("The cat sat");
        assert.match(
          await message(page, "overloaded"),
          /^Too many prompts at once\. .* in a moment/,
        );
        await page.locator("#status:not([data-kind])").waitFor({ state: "attached" });
        assert.equal(await page.locator(".targets text").count(), 3);
      }));

    await t.step("a link with broken state shows what of it there is", () =>
      open(
        `${origin}/#prompt=The%20cat&view=sideways&layer=-1&token=%E0%A4%A&x=1`,
        async (page) => {
          await settled(page);
          assert.equal(await page.locator(".targets text").count(), 2);
          assert.match(await message(page, "note"), /view=sideways, layer=-1, token=%E0%A4%A, x=1/);
        },
      ));

    await t.step("a link to a layer that this model lacks shows all of them, and says so", () =>
      open(`${origin}/#layer=40`, async (page) => {
        await settled(page);
        assert.match(await message(page, "note"), /no layer 40.*layers 0 to 5/);
        assert.match((await page.locator("#title").textContent())!, /^All layers/);
      }));

    await t.step("a script in a prompt is text, and no inline script would run", () =>
      open(`${origin}/`, async (page) => {
        const prompt = "<script>alert(1)</script><img src=x onerror=alert(1)>";
        let alerts = 0;
        page.on("dialog", (dialog) => {
          alerts++;
          dialog.dismiss();
        });
        for (const view of ["Flow", "Text", "Heads"]) {
          await page.getByRole("tab", { name: view }).click();
          await ask(page, `${prompt} ${view}`);
          assert.equal(await page.locator("main script, main img").count(), 0, view);
        }
        const ran = await page.evaluate(() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          return "ran" in window;
        });
        assert.equal(ran, false);
        assert.equal(alerts, 0);
      }));

    await t.step("two tabs at once each get their own picture", () =>
      open(`${origin}/`, (one) =>
        open(`${origin}/`, async (other) => {
          const type = (page: Page, text: string): Promise<void> =>
            page.locator("#prompt").fill("").then(() =>
              page.locator("#prompt").pressSequentially(text, { delay: 10 })
            );
          await Promise.all([type(one, "one two three"), type(other, "seven eight")]);
          const done = (page: Page, text: string): Promise<unknown> =>
            page.waitForFunction((end) =>
              decodeURIComponent(location.hash).endsWith(end), text);
          await Promise.all([done(one, "three"), done(other, "eight")]);
          await Promise.all([settled(one), settled(other)]);
          const labels = (page: Page): Promise<string[]> =>
            page.locator(".targets text").allTextContents();
          assert.deepEqual(await labels(one), ["one", "·two", "·three"]);
          assert.deepEqual(await labels(other), ["seven", "·eight"]);
        })));
  }));
