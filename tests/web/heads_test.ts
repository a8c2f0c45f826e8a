import assert from "node:assert/strict";
import { arrowAt, setOption, settled, withPages } from "../support/page.ts";

const REPEATED = encodeURIComponent("The cat sat on the mat. The cat sat on the");

Deno.test("heads on the page", (t) =>
  withPages(async (open, origin) => {
    await t.step("one is seen large while a mouse is on it, and stays when it is clicked", () =>
      open(`${origin}/#view=heads`, async (page, record) => {
        await settled(page);
        const title = page.locator("#title");
        const first = (): Promise<string | null> =>
          page.locator("#details td.share").first().textContent();
        const before = await first();
        await page.locator('[data-key="5.1"]').hover();
        assert.match((await title.textContent())!, /^Layer 5, head 1preview/);
        assert.notEqual(await first(), before, "the table is of the picture beside it");
        await page.mouse.move(4, 4);
        assert.match((await title.textContent())!, /^Layer 0, head 0attention/);
        assert.equal(await first(), before);
        await page.locator('[data-key="5.1"]').click();
        await page.waitForFunction(() =>
          location.hash.includes("layer=5")
        );
        await settled(page);
        await page.mouse.move(4, 4);
        assert.match((await title.textContent())!, /^Layer 5, head 1attention/);
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("several, by shift, are their mean, and leave as that", () =>
      open(`${origin}/#view=heads&layer=2&head=3`, async (page) => {
        await settled(page);
        await page.locator('[data-key="3.5"]').click({ modifiers: ["Shift"] });
        await page.waitForFunction(() =>
          location.hash.includes("toHead=5")
        );
        await settled(page);
        await page.mouse.move(4, 4);
        const title = (await page.locator("#title").textContent())!;
        assert.match(title, /^Layers 2–3, heads 3–5mean of 6 attention patterns/);
        assert.equal(await page.locator('.panel[aria-pressed="true"]').count(), 6);
        const href = (await page.locator("#arrow").getAttribute("href"))!;
        assert.match(
          decodeURIComponent(href),
          /info-flow\.arrow.*bos=KEEP.*layers=2,3&heads=3,4,5/,
        );
        const { flow } = await arrowAt(`${new URL(href, origin)}`);
        const patterns = decodeURIComponent(href).replace("info-flow", "attention")
          .replace("&bos=KEEP", "");
        const rows = (await arrowAt(`${new URL(patterns, origin)}`)).flow.filter((_, row) =>
          row % 14 === 13
        );
        assert.equal(rows.length, 6);
        const mean = rows[0]!.map((_, source) =>
          rows.reduce((sum, row) => sum + row[source]! / 6, 0)
        );
        mean.forEach((weight, source) => assert(Math.abs(weight - flow[13]![source]!) < 1e-6));
      }));

    await t.step("sorted by a job, the head that does most of it is large", () =>
      open(`${origin}/#view=heads&prompt=${REPEATED}`, async (page) => {
        await settled(page);
        await setOption(page, "Sort", "induction");
        await page.waitForFunction(() =>
          location.hash.includes("sort=induction")
        );
        await settled(page);
        const first = page.locator("#panels .panel").first();
        const [layer, head] = (await first.getAttribute("data-key"))!.split(".");
        assert.match(
          (await page.locator("#title").textContent())!,
          new RegExp(`^Layer ${layer}, head ${head}attention`),
        );
        assert.equal(await first.getAttribute("aria-pressed"), "true");
      }));
  }));
