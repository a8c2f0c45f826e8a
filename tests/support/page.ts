// What is handed to `page.evaluate` runs in the browser.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { tableFromIPC } from "@uwdata/flechette";
import type { Page } from "playwright-core";
import { encoded } from "../../web/calls/encoded.ts";
import { makeRamp } from "../../web/draw/ramp.ts";
import { stepOf } from "../../web/draw/shade.ts";
import { type OpenPage, withBrowser } from "./browser.ts";
import { withServer } from "./serve.ts";

/** Opens the page in Chromium, its server beside it, for as long as `use` runs. */
export function withPages(
  use: (open: OpenPage, origin: string) => Promise<void>,
  options?: Parameters<typeof withServer>[1],
): Promise<void> {
  return withServer(({ origin }) => withBrowser((open) => use(open, origin)), options);
}

/** Waits until the picture is of what the controls say. */
export async function settled(page: Page): Promise<void> {
  await page.locator("#picture[aria-busy=false]:not(.stale)").waitFor();
}

/** Unfolds what stands behind Options or Share. */
export async function unfold(page: Page, menu: "Options" | "Share"): Promise<void> {
  const summary = page.locator("summary", { hasText: menu });
  if (!await summary.evaluate((one) => (one.parentElement as HTMLDetailsElement).open)) {
    await summary.click();
  }
}

/** Sets an option. */
export async function setOption(page: Page, label: string, value: string): Promise<void> {
  await unfold(page, "Options");
  await page.getByLabel(label, { exact: true }).selectOption(value);
}

/** Writes a prompt in place of the one that is there, and waits for its picture. */
export async function ask(page: Page, prompt: string): Promise<void> {
  await page.locator("#prompt").fill(prompt);
  await page.waitForFunction(
    (link) => location.hash.includes(link),
    `prompt=${encoded(prompt)}`,
  );
  await settled(page);
}

/** The numbers that a link gives, and the labels that go with them. */
export async function arrowAt(url: string): Promise<{ flow: number[][]; tokens: string[] }> {
  const table = tableFromIPC(await (await fetch(url)).arrayBuffer());
  const { tokens } = JSON.parse(table.schema.metadata!.get("infoflow")!);
  const rows = table.getChild("flow")!.toArray() as Float32Array[];
  return { flow: Array.from(rows, (row) => Array.from(row)), tokens };
}

/** The colour of a pixel of the heatmap's canvas, which has one for each cell: red, green, blue, alpha. */
export function pixelAt(page: Page, target: number, source: number): Promise<number[]> {
  return page.evaluate(([y, x]) => {
    // A copy: Chromium warns of canvases that are read often.
    const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })!;
    pixel.drawImage(document.querySelector<HTMLCanvasElement>("#heatmap > canvas")!, -x!, -y!);
    return [...pixel.getImageData(0, 0, 1, 1).data];
  }, [target, source]);
}

/** The colour that a weight should have in the light. */
export function colourOf(weight: number, top: number): number[] {
  const { r, g, b } = makeRamp(false).colours[stepOf(weight, { top, curve: "sqrt" })]!;
  return [Math.round(r), Math.round(g), Math.round(b), 255];
}

/** Points at the centre of a cell, wherever it is on the page. */
export async function hoverCell(page: Page, target: number, source: number): Promise<void> {
  const position = await page.locator("#heatmap > canvas").evaluate(
    (canvas: HTMLCanvasElement, [y, x]) => {
      const cell = canvas.offsetWidth / canvas.width;
      return { x: canvas.offsetLeft + (x! + 0.5) * cell, y: canvas.offsetTop + (y! + 0.5) * cell };
    },
    [target, source],
  );
  await page.locator("#heatmap").hover({ position });
}
