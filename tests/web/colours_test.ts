import assert from "node:assert/strict";
import { factorOf, topOf } from "../../web/draw/shade.ts";
import { setOption, settled, unfold, withPages } from "../support/page.ts";

const QUESTION =
  "?prompt=Mary%20and%20John%20went%20to%20the%20store.%20John%20gave%20the%20cart%20to";

Deno.test("against even, a row of no preference is 1 everywhere, whatever shares a cell", () => {
  for (const target of [0, 1, 5, 64]) {
    assert.equal(factorOf("even", target) * (1 / (target + 1)), 1);
    assert.equal(factorOf("share", target), 1);
  }
  // Three positions a cell: rows 3 to 5 have 4, 5 and 6 sources, of which a whole cell has three.
  const pooled = (3 / 4 + 3 / 5 + 3 / 6) / 3;
  assert(Math.abs(factorOf("even", 1, 3) * pooled - 1) < 0.03);
  assert.equal(factorOf("share", 1, 3) * 0.3, 0.3 * (1 / 3));
});

Deno.test("the first rows and, if it is hidden, a token's own share don't set the scale", () => {
  const positions = 12;
  const values = new Float32Array(positions * positions);
  for (let target = 0; target < positions; target++) {
    for (let source = 0; source <= target; source++) {
      values[target * positions + source] = source === target ? 0.5 : 0.5 / target;
    }
  }
  const matrix = { tokens: [], values, dropped: new Float32Array(positions), positions };
  assert.equal(topOf(matrix), 0.5);
  assert.equal(topOf(matrix, { hidesSelf: true }), 0.125, "row 4 is the first that counts");
  assert(topOf(matrix, { hidesSelf: true, unit: "even" }) < 0.63);
});

Deno.test("colours on the page", (t) =>
  withPages(async (open, origin) => {
    await t.step("the text has a legend, and an even share is pale in it", () =>
      open(`${origin}/#view=text&token=0&direction=targets`, async (page, record) => {
        await settled(page);
        const legend = page.locator(".text-legend");
        await legend.getByText("times an even share").waitFor();
        await legend.getByText("1×", { exact: true }).waitFor();
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("hide self blanks the diagonal and gives the others its colours", () =>
      open(`${origin}/#method=ALTI`, async (page) => {
        await settled(page);
        const alpha = (): Promise<number[]> =>
          page.locator("#heatmap > canvas").evaluate((canvas: HTMLCanvasElement) => {
            const copy = new OffscreenCanvas(13, 13).getContext("2d")!;
            copy.drawImage(canvas, 0, 0);
            return [
              copy.getImageData(12, 12, 1, 1).data[3]!,
              copy.getImageData(11, 12, 1, 1).data[3]!,
            ];
          });
        assert.deepEqual(await alpha(), [255, 255]);
        const top = (): Promise<string | null> =>
          page.locator(".legend text").last().textContent();
        assert.match((await page.locator(".legend").textContent())!, /9\d(\.\d)?%|100%/);
        await setOption(page, "Self", "hidden");
        await page.waitForFunction(() =>
          location.hash.includes("self=hidden")
        );
        await settled(page);
        assert.deepEqual(await alpha(), [0, 255]);
        assert(Number.parseFloat((await top())!.match(/[\d.]+/)![0]) < 60, `${await top()}`);
        assert.doesNotMatch((await page.locator("#details tbody").textContent())!, /·to12/);
      }));

    await t.step("the text leaves as text: its tokens, their colours, one row of numbers", () =>
      open(`${origin}/#view=text&token=9`, async (page) => {
        await settled(page);
        const take = async (name: string): Promise<string> => {
          await unfold(page, "Share");
          const waiting = page.waitForEvent("download");
          await page.locator("#downloads").getByText(name, { exact: true }).click();
          return Deno.readTextFile(await (await waiting).path());
        };
        const drawing = await take("SVG");
        assert.match(drawing, /what feeds ·gave, position 9/);
        assert.equal(drawing.match(/<g data-says/g)?.length, 13);
        const lines = (await take("CSV")).trimEnd().split("\r\n");
        assert.equal(lines[0], "position,token,weight");
        assert.equal(lines.length, 14);
        const { tableFromIPC } = await import("@uwdata/flechette");
        const bytes = await (await fetch(`${origin}/info-flow.arrow${QUESTION}`)).arrayBuffer();
        const row = (tableFromIPC(bytes).getChild("flow")!.toArray() as Float32Array[])[9]!;
        assert.deepEqual(
          lines.slice(1).map((line) =>
            Number(line.split(",").at(-1))
          ),
          [...row],
        );
      }));
  }));
