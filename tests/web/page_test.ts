import assert from "node:assert/strict";
import { topOf } from "../../web/draw/shade.ts";
import {
  arrowAt,
  ask,
  colourOf,
  hoverCell,
  pixelAt,
  setOption,
  settled,
  withPages,
} from "../support/page.ts";

const EXAMPLE =
  "/info-flow.arrow?prompt=Mary%20and%20John%20went%20to%20the%20store.%20John%20gave" +
  "%20the%20cart%20to";

Deno.test("the page, in Chromium", (t) =>
  withPages(async (open, origin) => {
    await t.step("draws the example, cell by cell, and asks nobody else for anything", () =>
      open(`${origin}/`, async (page, record) => {
        await settled(page);
        const { flow, tokens } = await arrowAt(origin + EXAMPLE);
        const labels = await page.locator(".targets text").allTextContents();
        assert.deepEqual(
          labels,
          tokens.map((token) =>
            token.replace(" ", "·")
          ),
        );
        assert.deepEqual(await page.locator(".sources text").allTextContents(), labels);
        assert.match((await page.locator("#count").textContent())!, /^14 of 256 tokens/);

        const byLayer = await arrowAt(`${origin}${EXAMPLE}&byLayer=true`);
        const values = Float32Array.from(byLayer.flow.flat());
        const dropped = new Float32Array(6 * 13);
        const top = topOf({ tokens, values, dropped, positions: 13, panels: 6 });
        for (const [target, source] of [[0, 0], [12, 9], [12, 2], [5, 5]] as const) {
          const expected = colourOf(flow[target]![source]!, top);
          assert.deepEqual(await pixelAt(page, target, source), expected, `${target}, ${source}`);
        }
        assert.equal((await pixelAt(page, 3, 4))[3], 0, "nothing is above the diagonal");
        assert.deepEqual(await page.locator("#panels .panel").allTextContents(), [
          "All layers",
          ...Array.from({ length: 6 }, (_, layer) => `Layer ${layer}`),
        ]);
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("follows what is typed, drops stale answers, asks for few of them", () =>
      open(`${origin}/`, async (page, record) => {
        await settled(page);
        let asked = 0;
        page.on("request", () =>
          asked++);
        await page.locator("#prompt").fill("");
        await page.locator("#prompt").pressSequentially("The cat sat on the mat", { delay: 15 });
        await page.waitForFunction(() =>
          decodeURIComponent(location.hash).endsWith("the mat")
        );
        await settled(page);
        const labels = await page.locator(".targets text").allTextContents();
        assert.deepEqual(labels, ["The", "·cat", "·sat", "·on", "·the", "·mat"]);
        assert(asked < 44, `${asked} requests for 22 letters`);
        assert.deepEqual(record.complaints, []);
      }));

    await t.step("is drawn while somebody types at 90 ms a key", () =>
      open(`${origin}/`, async (page, record) => {
        await settled(page);
        await page.evaluate(() => {
          const seen: string[] = [];
          Object.assign(globalThis, { seen });
          new MutationObserver(() =>
            seen.push(document.querySelector("#of")!.textContent!)
          )
            .observe(document.querySelector("#of")!, { childList: true, characterData: true });
        });
        const text = "The cat sat on the mat and looked";
        await page.locator("#prompt").fill("");
        await page.locator("#prompt").pressSequentially(text, { delay: 90 });
        const seen = await page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
        // Of 33 letters, on two cores that run Chromium too.
        assert(seen.length >= 8, `${seen.length} pictures while typing`);
        const lengths = seen.map((caption) => caption.length);
        assert.deepEqual(
          lengths,
          lengths.toSorted((a, b) => a - b),
          "none is older than one before",
        );
        await page.locator("#of", { hasText: `“${text}”` }).waitFor();
        assert.deepEqual(record.complaints, []);
      }));

    await t.step("says on hover what a cell is: both tokens, the weight, the share of BOS", () =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        await hoverCell(page, 12, 9);
        const tip = page.locator("#tip");
        assert.match((await tip.textContent())!, /·to takes 25\.6% from ·gave.*BOS had 9\.\d\d%/);
        assert.match((await page.locator("#details caption").textContent())!, /sources of ·to/);
        await page.mouse.move(2, 2);
        await tip.waitFor({ state: "hidden" });
      }));

    await t.step(
      "is walked with arrow keys, heard, and remembers the chosen token in the link",
      () =>
        open(`${origin}/`, async (page) => {
          await settled(page);
          await page.locator("#heatmap").focus();
          for (const key of ["ArrowRight", "ArrowRight", "ArrowUp", "ArrowRight"]) {
            await page.keyboard.press(key);
          }
          const heard = (await page.locator("#live").textContent())!;
          assert.match(heard, /^·cart takes [\d.]+% from ·John\. BOS had/);
          await page.keyboard.press("Enter");
          await page.waitForFunction(() =>
            location.hash.includes("token=11")
          );
          await settled(page);
          assert.match((await page.locator("#details caption").textContent())!, /·cart/);
          await page.getByRole("button", { name: "What it feeds" }).click();
          await settled(page);
          assert.match((await page.locator("#details caption").textContent())!, /takes? most from/);
          await page.reload();
          await settled(page);
          assert.match((await page.locator("#details caption").textContent())!, /from ·cart/);
        }),
    );

    await t.step("goes through layers, heads and text, and back with the browser's button", () =>
      open(`${origin}/`, async (page, record) => {
        await settled(page);
        await page.getByRole("button", { name: "Layer 4" }).click();
        await page.getByRole("heading", { name: "Layer 4" }).waitFor();
        await page.getByRole("tab", { name: "Heads" }).click();
        await settled(page);
        assert.equal(await page.locator("#panels .panel").count(), 6 * 8);
        const place = async (name: string): Promise<{ x: number; y: number }> =>
          (await page.getByRole("button", { name }).boundingBox())!;
        const [first, right, below] = [
          await place("Layer 0, head 0"),
          await place("Layer 0, head 7"),
          await place("Layer 5, head 0"),
        ];
        assert.equal(right.y, first.y, "a layer is a row");
        assert.equal(below.x, first.x, "a head is a column");
        await page.getByRole("button", { name: "Layer 2, head 5" }).click();
        await page.getByRole("heading", { name: "Layer 2, head 5" }).waitFor();
        await settled(page);
        const url = await page.locator("#arrow").evaluate((link: HTMLAnchorElement) =>
          link.href
        );
        const { flow, tokens } = await arrowAt(url);
        assert.equal(tokens.length, 14, "heads keep BOS");
        const labels = await page.locator(".targets text").allTextContents();
        assert.deepEqual(labels.slice(0, 2), ["BOS", "Mary"]);
        const shown = await page.locator("#details tbody tr td.share").allTextContents();
        const row = flow[13]!.toSorted((a, b) =>
          b - a
        );
        assert.equal(Number.parseFloat(shown[0]!), Number((100 * row[0]!).toFixed(1)));

        await page.getByRole("tab", { name: "Text" }).click();
        await settled(page);
        const tokensOfText = page.locator("#text .token");
        assert.equal(await tokensOfText.count(), 13);
        await tokensOfText.nth(9).hover();
        const lit = (index: number): Promise<string> =>
          tokensOfText.nth(index).evaluate((token) => getComputedStyle(token).backgroundColor);
        assert.notEqual(await lit(0), "rgba(0, 0, 0, 0)");
        assert.equal(await lit(10), "rgba(0, 0, 0, 0)", "nothing comes from later tokens");
        await tokensOfText.nth(9).focus();
        await page.keyboard.press("ArrowLeft");
        assert.match((await page.locator("#details caption").textContent())!, /·John/);

        await page.goBack();
        await page.getByRole("heading", { name: "Layer 2, head 5" }).waitFor();
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("takes its options: aggregation, BOS, scale and curve, each in the link", () =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        const before = await pixelAt(page, 12, 2);
        const options: [label: string, value: string, link: string][] = [
          ["Colour", "linear", "curve=linear"],
          ["Scale", "panel", "scale=panel"],
          ["BOS", "KEEP", "bos=KEEP"],
          ["Layers", "ROLLOUT", "aggregation=ROLLOUT"],
        ];
        for (const [label, value, link] of options) {
          await setOption(page, label, value);
          await page.waitForFunction((part) =>
            location.hash.includes(part), link);
          await settled(page);
        }
        assert.equal(await page.locator(".targets text").count(), 14);
        assert.match((await page.locator("#title").textContent())!, /rollout/);
        assert.notDeepEqual(await pixelAt(page, 12, 2), before);
      }));

    await t.step("changes its colours with the system's", () =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        const light = await pixelAt(page, 12, 2);
        await page.emulateMedia({ colorScheme: "dark" });
        await settled(page);
        await page.waitForFunction(() =>
          getComputedStyle(document.body).backgroundColor === "rgb(21, 17, 22)"
        );
        assert.notDeepEqual(await pixelAt(page, 12, 2), light);
      }));

    await t.step("shows what is hard to show: marks, bytes, emoji, text from right to left", () =>
      open(`${origin}/`, async (page, record) => {
        await ask(page, "a\n 🍣 שלום\u202e<b>b</b>");
        const labels = await page.locator(".targets text").allTextContents();
        assert.deepEqual(labels.slice(0, 4), ["a", "↵", "\\x20\\xf0\\x9f", "\\x8d"]);
        assert(
          labels.some((label) =>
            label.includes("\\u202e")
          ) || labels.includes("\\xe2\\x80"),
        );
        assert.equal(await page.locator("#stage b, #title b, #of b, #side b, #tip b").count(), 0);
        await page.getByRole("tab", { name: "Text" }).click();
        await settled(page);
        const text = await page.locator("#text").textContent();
        assert.equal(text!.replaceAll(/[↵⋯]/g, ""), "a\n 🍣 שלום\u202e<b>b</b>");
        assert.deepEqual(record.complaints, []);
      }));
  }));
