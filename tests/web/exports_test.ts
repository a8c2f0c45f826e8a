import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { tableFromIPC } from "@uwdata/flechette";
import type { Page } from "playwright-core";
import { python } from "../support/python.ts";
import { arrowAt, settled, unfold, withPages } from "../support/page.ts";

async function downloaded(page: Page, name: string): Promise<{ bytes: Uint8Array; file: string }> {
  await unfold(page, "Share");
  const waiting = page.waitForEvent("download");
  await page.locator("#downloads").getByText(name, { exact: true }).click();
  const download = await waiting;
  return { bytes: await Deno.readFile(await download.path()), file: download.suggestedFilename() };
}

async function copy(page: Page, name: string): Promise<void> {
  await unfold(page, "Share");
  await page.getByRole("button", { name }).click();
  await page.getByRole("button", { name: "Copied", exact: true }).waitFor();
}

Deno.test("what can be taken from the page", (t) =>
  withPages(async (open, origin) => {
    const link = `${origin}/#layer=3&view=flow`;

    await t.step("PNG: an image of the heatmap, not all of one colour", () =>
      open(link, async (page) => {
        await settled(page);
        const { bytes, file } = await downloaded(page, "PNG");
        assert.equal(
          file,
          "flow-attention-layer-3-mary-and-john-went-to-the-store.-john-ga.png",
        );
        assert.deepEqual([...bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
        const width = new DataView(bytes.buffer, bytes.byteOffset).getUint32(16);
        assert(width > 600, `${width} pixels`);
        assert(coloursOf(bytes) > 50, `${coloursOf(bytes)} colours`);
      }));

    await t.step("SVG: stands for itself, with labels, cells and a title", () =>
      open(link, async (page, { complaints }) => {
        await settled(page);
        const { bytes } = await downloaded(page, "SVG");
        const text = new TextDecoder().decode(bytes);
        const drawn = await page.evaluate(async (svg) => {
          const { documentElement: root } = new DOMParser().parseFromString(svg, "image/svg+xml");
          const image = new Image();
          image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
          await image.decode();
          return {
            title: root.querySelector("title")?.textContent,
            labels: [...root.querySelectorAll(".targets text")].map((label) =>
              label.textContent
            ),
            cells: root.querySelectorAll(".cells rect").length,
            width: image.naturalWidth,
          };
        }, text);
        assert.equal(drawn.title, "Layer 3: mean of its 8 heads");
        assert.match(text, /attention · bundled · 14 tokens with BOS · “Mary and John went /);
        assert.deepEqual(drawn.labels.slice(0, 2), ["Mary", "·and"]);
        assert.equal(drawn.labels.length, 13);
        assert.equal(drawn.cells, 13 * 14 / 2, "cells are vectors");
        assert(drawn.width > 300);
        assert.deepEqual(complaints, []);
      }));

    await t.step("HTML: stands alone, and keeps its hover", () =>
      open(link, async (page, { complaints }) => {
        await settled(page);
        const { bytes, file } = await downloaded(page, "HTML");
        const path = `${await Deno.makeTempDir()}/${file}`;
        await Deno.writeFile(path, bytes);
        await page.goto(`file://${path}`);
        await page.locator(".cells rect").nth(80).hover();
        await page.getByText(/^·to takes [\d.]+% from /).waitFor();
        assert.deepEqual(complaints, []);
        await Deno.remove(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      }));

    await t.step("CSV and Arrow: the numbers of the API", () =>
      open(link, async (page) => {
        await settled(page);
        const url = await page.locator("#arrow").evaluate((a: HTMLAnchorElement) =>
          a.href
        );
        const { flow, tokens } = await arrowAt(url);
        const layer = flow;
        const csv = new TextDecoder().decode((await downloaded(page, "CSV")).bytes);
        const lines = csv.trimEnd().split("\r\n");
        assert.equal(lines[0], "target,target_token,source,source_token,weight");
        assert.equal(lines.length, 1 + 13 * 14 / 2);
        for (const line of lines.slice(1)) {
          const [target, targetToken, source, sourceToken, weight] = line.split(",");
          assert.equal(Number(weight), layer[Number(target)]![Number(source)]);
          assert.equal(targetToken, `"${tokens[Number(target)]}"`);
          assert.equal(sourceToken, `"${tokens[Number(source)]}"`);
        }
        const arrow = await downloaded(page, "Arrow");
        assert.match(arrow.file, /\.arrows?$/);
        assert.equal(tableFromIPC(arrow.bytes).numRows, 13);
      }));

    const clipboard = { permissions: ["clipboard-read", "clipboard-write"] };

    const SHOWN: [link: string, line: RegExp][] = [
      [
        "#view=heads&layer=2&head=5",
        /attention\(".*", layers=\[2\], heads=\[5\]\)\.values\[0, 0\]$/,
      ],
      [
        "#layer=3&method=ALTI",
        /flow\(".*", method="ALTI", by_layer=True, layers=\[3\]\)\.values\[0\]$/,
      ],
      ["#layer=3&aggregation=ROLLOUT", /aggregation="ROLLOUT", layers=\[0, 1, 2, 3\]\)\.values$/],
      [
        "#view=whatif&off=2.3,5.1&show=change",
        /ablate=\[\(2, 3\), \(5, 1\)\], difference=True\)\.values$/,
      ],
      ["#view=text&token=4", /\.values\[4\]$/],
    ];
    await t.step(
      "a line of Python, which gives what is on the screen, with the package",
      async () => {
        for (const [hash, expected] of SHOWN) {
          await open(`${origin}/${hash}`, async (page) => {
            await settled(page);
            await copy(page, "Copy Python");
            const line = await page.evaluate(() =>
              navigator.clipboard.readText()
            );
            assert.match(line, /^import infoflow; /);
            assert.match(line, expected);
            const name = line.match(/; (\w+) = /)![1];
            const code = `${line}\nimport json; print(json.dumps(${name}.tolist()))`;
            const root = new URL("../../clients/python/src", import.meta.url).pathname;
            const shown = await python(code, {
              env: { INFOFLOW_URL: origin, PYTHONPATH: root },
            }) as number[] | number[][];
            const csv = new TextDecoder().decode((await downloaded(page, "CSV")).bytes);
            for (
              const fields of csv.trimEnd().split("\r\n").slice(1).map((one) =>
                one.split(",")
              )
            ) {
              const weight = Number(fields.at(-1));
              const [at, , source] = fields.map(Number);
              const row = shown[at!]!;
              assert.equal(typeof row === "number" ? row : row[source!], weight, fields.join());
            }
          }, clipboard);
        }
      },
    );

    await t.step("a line of JavaScript, likewise", () =>
      open(link, async (page) => {
        await settled(page);
        await copy(page, "Copy JavaScript");
        const line = await page.evaluate(() => navigator.clipboard.readText());
        const code = `${line}\nconsole.log(table.numRows, table.getChild("flow").get(12).get(0));`;
        const file = new URL("../../.cache/copied_line.js", import.meta.url).pathname;
        await Deno.writeTextFile(file, code);
        const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["run", "--allow-net=127.0.0.1", "--allow-env", file],
        }).output();
        await Deno.remove(file);
        const url = await page.locator("#arrow").evaluate((a: HTMLAnchorElement) => a.href);
        const { flow } = await arrowAt(url);
        assert.equal(
          new TextDecoder().decode(stdout).trim(),
          `13 ${flow[12]![0]}`,
          new TextDecoder().decode(stderr),
        );
      }, clipboard));

    await t.step("a link that opens the same again", () =>
      open(`${origin}/#prompt=The%20cat%20sat&view=text`, async (page) => {
        await settled(page);
        await copy(page, "Copy link");
        const copied = await page.evaluate(() =>
          navigator.clipboard.readText()
        );
        assert.equal(copied, `${origin}/#prompt=The%20cat%20sat&view=text`);
      }, clipboard));

    await t.step("a link into GraphiQL, with the query filled in", () =>
      open(`${origin}/#prompt=Say%20%22hi%22&layer=1`, async (page) => {
        await settled(page);
        await page.getByRole("link", { name: "GraphiQL" }).click();
        await page.getByText("byLayer").first().waitFor();
        await page.getByRole("button", { name: /execute query/i }).click();
        const answer = page.locator(".result-window");
        await answer.getByText("hi").first().waitFor();
        await answer.getByText("shape").first().waitFor();
      }));
  }));

/** How many colours a PNG of 8 bits a channel has, by its rows' bytes before they are told apart from their neighbours. */
function coloursOf(png: Uint8Array): number {
  const view = new DataView(png.buffer, png.byteOffset);
  const parts: Uint8Array[] = [];
  for (let at = 8; at < png.length; at += 12 + view.getUint32(at)) {
    const type = new TextDecoder().decode(png.subarray(at + 4, at + 8));
    if (type === "IDAT") parts.push(png.subarray(at + 8, at + 8 + view.getUint32(at)));
  }
  const rows = inflateSync(Uint8Array.from(parts.flatMap((part) => [...part])));
  return new Set(rows).size;
}
