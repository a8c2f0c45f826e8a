import assert from "node:assert/strict";
import { VIEW_NAMES } from "../../web/page_state.ts";
import { VIEWS } from "../../web/views/list.ts";
import { settled, withPages } from "../support/page.ts";

Deno.test("the page on screens of every kind", (t) =>
  withPages(async (open, origin) => {
    await t.step("a tap chooses a cell and keeps it", () =>
      open(`${origin}/`, async (page, record) => {
        await settled(page);
        const canvas = page.locator("#heatmap > canvas");
        const box = (await canvas.boundingBox())!;
        const cell = box.width / 13;
        await page.touchscreen.tap(box.x + 2.5 * cell, box.y + 9.5 * cell);
        await page.waitForFunction(() =>
          location.hash.includes("token=9")
        );
        await settled(page);
        await page.waitForTimeout(300);
        assert.match((await page.locator("#tip").textContent())!, /·gave takes [\d.]+% from ·John/);
        assert.equal(await page.locator("#tip").isVisible(), true, "the tap's tip stays");
        assert.match((await page.locator("#details caption").textContent())!, /·gave/);
        assert.equal(await page.locator(".hint .touch").isVisible(), true);
        assert.equal(await page.locator(".hint .keys").isVisible(), false);
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }));

    await t.step("on a small screen the small pictures come before the tables", () =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        const top = async (id: string): Promise<number> =>
          (await page.locator(id).boundingBox())!.y;
        assert(await top("#strip") < await top("#side"));
        assert(await top("#stage") < await top("#strip"));
      }, { viewport: { width: 390, height: 844 } }));

    await t.step("at 1280 x 720 the whole heatmap of 14 tokens is in sight", () =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        const { y, height } = (await page.locator("#heatmap").boundingBox())!;
        assert(y + height <= 720, `it ends at ${y + height}`);
        const panels = (await page.locator("#panels .panel").first().boundingBox())!;
        assert(panels.y < 300, "layers stand beside it");
      }, { viewport: { width: 1280, height: 720 } }));

    await t.step("forced colours keep what colours say", () =>
      open(`${origin}/#view=text`, async (page) => {
        await settled(page);
        const colours = await page.locator(".token").evaluateAll((tokens) =>
          tokens.map((token) =>
            getComputedStyle(token).backgroundColor
          )
        );
        assert(new Set(colours).size > 3, "tokens keep their weights' colours");
        const [selected, other] = await Promise.all(
          ["Text", "Flow"].map((name) =>
            page.getByRole("tab", { name }).evaluate((tab) =>
              getComputedStyle(tab).borderBottomColor
            )
          ),
        );
        assert.notEqual(selected, other, "one tab is seen to be chosen");
        const meter = await page.locator(".meter i").first().evaluate((bar) =>
          getComputedStyle(bar).backgroundColor
        );
        assert.notEqual(meter, "rgba(0, 0, 0, 0)");
        const pressed = await page.locator('.panel[aria-pressed="true"]').evaluate((panel) =>
          getComputedStyle(panel).outlineStyle
        );
        assert.equal(pressed, "solid");
      }, { forcedColors: "active" }));

    await t.step("reduced motion moves nothing", () =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        const moving = await page.evaluate(() =>
          [...document.querySelectorAll("*")].filter((element) =>
            getComputedStyle(element).transitionDuration.split(", ").some((time) =>
              time !== "0s"
            ) && getComputedStyle(element).transitionProperty !== "none"
          ).map(({ className }) =>
            className
          )
        );
        assert.deepEqual(moving, []);
      }, { reducedMotion: "reduce" }));

    for (const [width, height] of [[1280, 800], [390, 844]] as const) {
      await t.step(`nothing jumps while the page opens at ${width}, nor between views`, () =>
        open(`${origin}/`, async (page) => {
          await settled(page);
          await page.waitForLoadState("networkidle");
          const shift = (): Promise<number> =>
            page.evaluate(() =>
              new Promise<number>((resolve) => {
                let sum = 0;
                const observer = new PerformanceObserver((list) => {
                  for (const entry of list.getEntries()) {
                    sum += (entry as unknown as { value: number }).value;
                  }
                });
                observer.observe({ type: "layout-shift", buffered: true });
                setTimeout(() =>
                  resolve(sum), 300);
              })
            );
          const first = await shift();
          assert(first < 0.02, `${first} as it opens`);
        }, { viewport: { width, height } }));
    }

    await t.step("nothing is wider than a screen of 320 pixels, in any view", () =>
      open(`${origin}/#off=1.1&method=ALTI&bos=KEEP`, async (page) => {
        for (const view of VIEW_NAMES) {
          await page.getByRole("tab", { name: VIEWS[view].tab, exact: true }).click();
          await settled(page);
          await page.waitForLoadState("networkidle");
          const width = await page.evaluate(() =>
            document.documentElement.scrollWidth
          );
          assert(width <= 320, `${view}: ${width}`);
        }
      }, { viewport: { width: 320, height: 640 } }));
  }));
