import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { setOption, settled, unfold, withPages } from "../support/page.ts";

const REPEATED = encodeURIComponent("The cat sat on the mat. The cat sat on the");

Deno.test("routes and what heads do, on the page", (t) =>
  withPages(async (open, origin) => {
    await t.step(
      "routes are drawn edge by edge; a head leads to its pattern, a place to its routes",
      () =>
        open(`${origin}/#view=routes&threshold=0.04`, async (page, record) => {
          await settled(page);
          const url = await page.locator("#arrow").evaluate((a: HTMLAnchorElement) => a.href);
          assert.match(url, /\/routes\.arrow\?.*threshold=0\.04&strongest=40$/);
          const table = tableFromIPC(await (await fetch(url)).arrayBuffer());
          assert.equal(await page.locator("#routes .edge").count(), table.numRows);
          const heads = Array.from(table.getChild("kind")!).filter((kind) =>
            kind === "HEAD"
          ).length;
          assert.equal(await page.locator("#routes .edge[data-head]").count(), heads);

          const places = page.locator("#routes .node");
          await places.nth(await places.count() - 1).hover();
          assert.match((await page.locator("#tip").textContent())!, /comes through here$/);
          const edge = page.locator("#routes .edge[data-head]").last();
          const says = (await edge.getAttribute("aria-label"))!;
          const [, layer, head] = says.match(/Layer (\d+), head (\d+): .* takes [\d.]+% from /)!;
          await edge.focus();
          await page.keyboard.press("Enter");
          await page.getByRole("heading", { name: `Layer ${layer}, head ${head}` }).waitFor();
          await page.goBack();
          await page.getByRole("heading", { name: "Routes" }).waitFor();
          await page.locator('#routes .node[data-position="1"]').first().click();
          await page.waitForFunction(() => location.hash.includes("token=0"));
          await settled(page);
          assert.match((await page.locator("#details caption").textContent())!, /routes to Mary/);
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step("as many edges as are wanted, and a row lights its way", () =>
      open(`${origin}/#view=routes&edges=20`, async (page, record) => {
        await settled(page);
        const edges = page.locator("#routes .edge");
        assert.equal(await edges.count(), 20);
        await page.locator("#edges").fill("60");
        await page.waitForFunction(() => location.hash.includes("edges=60"));
        await settled(page);
        assert.equal(await edges.count(), 60);
        await page.locator("#details tbody tr").first().hover();
        const dim = await page.locator("#routes .edge.dim").count();
        assert(dim > 30 && dim < 60, `${dim} of 60 are dimmed`);
        await page.mouse.move(4, 4);
        assert.equal(await page.locator("#routes .edge.dim").count(), 0);
        await page.locator("#details .lights").first().focus();
        assert.equal(await page.locator("#routes .edge.dim").count(), dim, "by keyboard too");
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("routes leave as SVG and CSV", () =>
      open(`${origin}/#view=routes`, async (page) => {
        await settled(page);
        for (
          const [name, start] of [["SVG", "<svg"], ["CSV", "layer,kind,head,source,source_token"]]
        ) {
          await unfold(page, "Share");
          const waiting = page.waitForEvent("download");
          await page.locator("#downloads").getByText(name!, { exact: true }).click();
          const download = await waiting;
          assert.match(download.suggestedFilename(), /^routes-routes-mary-and-john/);
          assert((await Deno.readTextFile(await download.path())).startsWith(start!), name);
        }
      }));

    await t.step("the head grid is sorted by what heads do", () =>
      open(`${origin}/#view=heads&prompt=${REPEATED}`, async (page, record) => {
        await settled(page);
        for (const job of ["previousToken", "bos", "induction"]) {
          await setOption(page, "Sort", job);
          await page.waitForFunction((part) =>
            location.hash.includes(part), `sort=${job}`);
          await settled(page);
          const captions = await page.locator("#panels .panel").allTextContents();
          assert.equal(captions.length, 48);
          const shares = captions.map((text) =>
            Number.parseFloat(text.split("·")[1]!)
          );
          assert(shares.every((share, i) => i === 0 || share <= shares[i - 1]!), `${shares}`);
        }
        const [first] = await page.locator("#panels .panel").all();
        const key = await first!.getAttribute("data-key");
        await first!.click();
        const [layer, head] = key!.split(".");
        await page.getByRole("heading", { name: `Layer ${layer}, head ${head}` }).waitFor();
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));
  }));
