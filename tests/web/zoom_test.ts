import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { including, last, moved, whole, zoomed } from "../../web/draw/window.ts";
import { settled, withPages } from "../support/page.ts";

Deno.test("a window keeps the place under the pointer, and stays within the matrix", () => {
  const at = { source: 200, target: 700 };
  const window = zoomed(whole(1000), 0.5, { at, positions: 1000 });
  assert.deepEqual(window, { source: 100, target: 350, size: 500 });
  const share = (from: number, place: number): number => (place - from) / window.size;
  assert.deepEqual([share(window.source, 200), share(window.target, 700)], [0.2, 0.7]);
  assert.deepEqual(zoomed(window, 100, { at, positions: 1000 }), whole(1000));
  assert.equal(zoomed(whole(9), 0.1, { at, positions: 9 }).size, 8);
  assert.equal(zoomed(whole(5), 0.5, { at, positions: 5 }).size, 5);
  assert.deepEqual(moved(window, -500, 900, 1000), { source: 0, target: 500, size: 500 });
  assert.deepEqual(last(64, 1000), { source: 936, target: 936, size: 64 });
  assert.deepEqual(including(window, { source: 99, target: 900 }, 1000), {
    source: 99,
    target: 401,
    size: 500,
  });
});

async function size(page: Page): Promise<number> {
  return await page.locator("#heatmap > canvas").evaluate((one: HTMLCanvasElement) => one.width);
}

Deno.test("a long prompt is read by zooming", (t) =>
  withPages(async (open, origin) => {
    const prompt = "The cat sat on the mat, and the dog saw it. ".repeat(16).trim();
    const link = `${origin}/#prompt=${encodeURIComponent(prompt)}`;

    await t.step("by wheel, drag, keys, buttons and the minimap", () =>
      open(link, async (page, record) => {
        await settled(page);
        const whole = await size(page);
        assert(whole > 150, `${whole} tokens`);
        assert.equal(await page.locator(".minimap").isVisible(), false);
        const labels = await page.locator(".targets text").count();
        const box = (await page.locator("#heatmap > canvas").boundingBox())!;
        await page.mouse.move(box.x + 3, box.y + box.height - 3);
        await page.keyboard.down("Control");
        for (let n = 0; n < 5; n++) {
          await page.mouse.wheel(0, -100);
        }
        await page.keyboard.up("Control");
        await page.locator(".minimap").waitFor();
        const near = await size(page);
        assert(near < whole / 3, `${near} of ${whole}`);
        const inSight = await page.locator(".minimap rect").evaluate((rect) =>
          ["x", "y", "height"].map((name) =>
            Number(rect.getAttribute(name))
          )
        );
        assert(inSight[0]! < 3 && inSight[1]! + inSight[2]! > 92, "what was pointed at stays");
        const share = await page.locator(".targets text").count() / near;
        assert(share > 2 * labels / whole, `${share} of the rows are named`);

        await page.mouse.move(box.x + 60, box.y + box.height - 60);
        assert.match((await page.locator("#tip").textContent())!, / takes .* from /);
        const first = await page.locator(".sources text").first().textContent();
        const frame = page.locator(".minimap rect");
        const before = Number(await frame.getAttribute("x"));
        await page.mouse.down();
        await page.mouse.move(box.x + 10, box.y + box.height - 60, { steps: 4 });
        await page.mouse.up();
        assert(Number(await frame.getAttribute("x")) > before, `${first} was dragged away`);
        assert.doesNotMatch(page.url(), /token=/, "a drag is no click");

        await page.locator("#heatmap").focus();
        await page.keyboard.press("-");
        assert(await size(page) > near);
        await page.keyboard.press("0");
        assert.equal(await size(page), whole);
        assert.equal(await page.locator(".minimap").isVisible(), false);
        await page.getByRole("button", { name: "The last 64 tokens" }).click();
        assert.equal(await size(page), 64);
        const map = (await page.locator(".minimap").boundingBox())!;
        await page.mouse.click(map.x + 20, map.y + 70);
        assert(Number(await frame.getAttribute("x")) < 30);
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("the cell that arrow keys move to comes into sight", () =>
      open(link, async (page) => {
        await settled(page);
        await page.getByRole("button", { name: "The last 64 tokens" }).click();
        await page.locator("#heatmap").focus();
        await page.keyboard.press("ArrowLeft");
        await page.keyboard.press("Home");
        await page.locator(".minimap rect[x='0']").waitFor();
      }));

    await t.step("by pinching", () =>
      open(link, async (page) => {
        await settled(page);
        const whole = await size(page);
        const box = (await page.locator("#heatmap > canvas").boundingBox())!;
        const client = await page.context().newCDPSession(page);
        const touch = (type: string, apart: number): Promise<unknown> =>
          client.send("Input.dispatchTouchEvent", {
            type: type as "touchStart",
            touchPoints: type === "touchEnd" ? [] : [-1, 1].map((sign, id) => ({
              x: box.x + box.width / 4 + sign * apart,
              y: box.y + 0.75 * box.height,
              id,
            })),
          });
        await touch("touchStart", 15);
        for (const apart of [22, 32, 45]) {
          await touch("touchMove", apart);
        }
        await touch("touchEnd", 0);
        assert(await size(page) < 0.7 * whole, `${await size(page)} of ${whole}`);
      }, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }));

    await t.step("a short prompt has nothing to zoom", () =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        assert.equal(await page.locator(".zoom").isVisible(), false);
      }));
  }));
