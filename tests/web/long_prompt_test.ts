import assert from "node:assert/strict";
import { arrowAt, hoverCell, pixelAt, settled, withPages } from "../support/page.ts";
import { randomModel } from "../support/random_model.ts";
import { tinyConfig, withCheckpoint } from "../support/write_checkpoint.ts";

const LONGEST = 1024;

Deno.test("a prompt of 1,024 tokens, 12 layers and 12 heads on the page", async (t) => {
  const shape = { n_layer: 12, n_head: 12, n_embd: 48, n_positions: LONGEST, n_ctx: LONGEST };
  const config = { ...await tinyConfig(), ...shape, vocab_size: 50257, bos_token_id: 50256 };
  const prompt = "The cat sat on the mat. ".repeat(147).trim().split(" ").slice(0, 877);
  await withCheckpoint(
    { config, tensors: randomModel(config, 3) },
    (directory) =>
      withPages(async (open, origin) => {
        const link = `${origin}/#prompt=${encodeURIComponent(prompt.join(" "))}`;

        await t.step("is one raster with few labels, and each cell is there on hover", () =>
          open(link, async (page, record) => {
            await settled(page);
            const sizes = await page.evaluate(() =>
              (performance.getEntriesByType("resource") as PerformanceResourceTiming[])
                .filter(({ name }) =>
                  name.includes("cells=")
                )
                .map(({ decodedBodySize }) => decodedBodySize)
            );
            assert.equal(sizes.length, 2, "all layers as one, and each");
            const bytes = sizes.reduce((sum, size) => sum + size, 0);
            assert(bytes < 2e6, `${bytes} bytes of thumbnails`);
            assert.equal(
              await page.locator("#count").textContent(),
              "1,024 of 1,024 tokens, BOS among them",
            );
            const size = await page.locator("#heatmap > canvas").evaluate((c: HTMLCanvasElement) =>
              c.width
            );
            assert.equal(size, 1023);
            assert(await page.locator(".targets text").count() < 80);
            assert(await page.locator("#picture *").count() < 3000, "not an element for each cell");
            assert.equal((await pixelAt(page, 1022, 0))[3], 255);

            const url = await page.locator("#arrow").evaluate((a: HTMLAnchorElement) => a.href);
            const { flow } = await arrowAt(url);
            await hoverCell(page, 900, 300);
            const said = Number.parseFloat(
              (await page.locator("#tip").textContent())!.match(/takes ([\d.]+)%/)![1]!,
            );
            const nearby = [-1, 0, 1].flatMap((row) =>
              [-1, 0, 1].map((column) => 100 * flow[900 + row]![300 + column]!)
            );
            assert(
              nearby.some((weight) => Math.abs(weight - said) < 0.006),
              `${said} of ${nearby}`,
            );
            assert.deepEqual(record, { strangers: [], complaints: [] });
          }));

        await t.step("shows every head small and one of them large", () =>
          open(`${link}&view=heads`, async (page, record) => {
            await settled(page);
            assert.equal(await page.locator("#panels .panel").count(), 144);
            const cells = await page.locator("#panels canvas").first()
              .evaluate((canvas: HTMLCanvasElement) =>
                canvas.width
              );
            assert(cells <= 48, `${cells} cells`);
            await page.getByRole("button", { name: "Layer 7, head 11" }).click();
            await page.getByRole("heading", { name: "Layer 7, head 11" }).waitFor();
            await settled(page);
            const size = await page.locator("#heatmap > canvas").evaluate((c: HTMLCanvasElement) =>
              c.width
            );
            assert.equal(size, 1024);
            assert.deepEqual(record, { strangers: [], complaints: [] });
          }));
      }, { args: ["--model", directory] }),
  );
});
