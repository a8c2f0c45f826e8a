// Who moves the name, what happens without it, where does it come from: told on the page.
import assert from "node:assert/strict";
import { setOption, settled, withPages } from "../support/page.ts";

Deno.test("patching, lens and the effects of heads on the page", (t) =>
  withPages(async (open, origin) => {
    await t.step(
      "which head the answer needs, and what happens without it",
      () =>
        open(`${origin}/`, async (page, record) => {
          await settled(page);
          await page.getByRole("tab", { name: "What if" }).click();
          await page.locator("#tint-says").getByText("·Mary against").waitFor();
          assert.equal(await page.locator("#wrong").inputValue(), " John");
          const head = page.locator('#panels [data-key="4.0"]');
          await page.locator('#panels [data-key="4.0"].tinted').waitFor();
          const says = await head.getAttribute("aria-description");
          assert.match(says!, /^−\d+\.\d\d for ·Mary against/);
          await head.click();
          await page.locator("#forecast thead").getByText("Without").waitFor();
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "a flow that stays while the prediction changes is said, and not drawn as a change",
      () =>
        open(
          `${origin}/#view=whatif&off=5.0,5.1,5.2,5.3,5.4,5.5,5.6,5.7&show=change`,
          async (page) => {
            await settled(page);
            await page.locator("#what-if-note").getByText(
              "The flow does not change, but the prediction does",
            )
              .waitFor();
            assert.equal((await page.locator(".legend text").allTextContents()).at(-1), "+1%");
          },
        ),
    );

    await t.step(
      "where the name comes from, patch by patch",
      () =>
        open(`${origin}/`, async (page, record) => {
          await settled(page);
          await page.getByRole("tab", { name: "Patching" }).click();
          await page.getByRole("heading", { name: "Patching" }).waitFor();
          await page.locator(".cells [data-place]").first().waitFor();
          assert.equal(
            await page.locator("#corrupted").inputValue(),
            "Mary and John went to the store. Mary gave the cart to",
          );
          assert.equal(await page.locator("#answer").inputValue(), " Mary");
          assert.equal(await page.locator("#wrong").inputValue(), " John");
          const cell = (layer: number, position: number) =>
            page.locator(`.cells [data-place="${layer * 14 + position}"]`);
          assert.match(
            (await cell(3, 9).getAttribute("aria-label"))!,
            /^Layer 3, position 9, ·John for ·Mary: 0\.99/,
          );
          assert.match((await cell(5, 10).getAttribute("aria-label"))!, /: 1\.\d/);
          await cell(3, 9).click();
          await page.waitForFunction(() => location.hash.includes("patch=3.9"));
          await page.locator("#patched-flow").getByText("RESID_PRE of layer 3, position 9")
            .waitFor();
          await page.locator("#heatmap > canvas").waitFor();
          const rows = await page.locator("#forecast tbody tr").allTextContents();
          const mary = rows.find((row) => row.includes("Mary"))!;
          const [before, after] = Array.from(mary.matchAll(/[\d.]+(?=%)/g), Number);
          assert(before! < 1 && after! > 50, mary);
          // Arrow keys go over the cells.
          await cell(3, 9).focus();
          await page.keyboard.press("ArrowRight");
          assert.equal(
            await page.evaluate(() => document.activeElement?.getAttribute("data-place")),
            "52",
          );
          await setOption(page, "Site", "Z");
          await setOption(page, "Cells", "head");
          await settled(page);
          await page.locator('.cells [aria-label^="Layer 4, head 0: 1.0"]').waitFor();
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "prompts that don't go together are said to, in the server's words",
      () =>
        open(`${origin}/#view=patching&corrupted=Mary`, async (page) => {
          await settled(page);
          await page.getByText("both prompts must have as many tokens").waitFor();
          await page.locator("#corrupted").fill(
            "Mary and John went to the store. Mary gave the cart to",
          );
          await page.locator("#corrupted").press("Enter");
          await page.locator(".cells [data-place]").first().waitFor();
        }),
    );

    await t.step(
      "the lens has the likeliest token in each cell, and a token's probability as colour",
      () =>
        open(`${origin}/#view=lens`, async (page, record) => {
          await settled(page);
          const last = page.locator(".cells [data-place]").last();
          assert.match((await last.getAttribute("aria-label"))!, /After layer 5, at ·to\n·Mary 76/);
          await last.click();
          await page.waitForFunction(() => location.hash.includes("lens=%20Mary"));
          await page.getByText("colour: probability of ·Mary").waitFor();
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );
  }));
