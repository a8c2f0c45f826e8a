import assert from "node:assert/strict";
import { PALETTE } from "../../src/palette.ts";
import { makeRamp } from "../../web/draw/ramp.ts";
import { columnsOf, drawHeatmap, drawLegend, topOf } from "../../src/cli/heatmap.ts";

/** Draws a matrix whose cells are what a uniform row has. */
function draw(
  labels: string[],
  options: { columns?: number; colours?: "truecolor" | "256" | "none" } = {},
): string[] {
  const P = labels.length;
  const matrix = new Float32Array(P * P).map((_, at) => {
    const [target, source] = [Math.floor(at / P), at % P];
    return source <= target ? 1 / (target + 1) : 0;
  });
  return drawHeatmap(matrix, { labels, columns: 100, colours: "none", ...options }).split("\n");
}

Deno.test("drawHeatmap() has targets down, sources across, the first at the top left", () => {
  assert.deepEqual(draw(["a", " b", "cd"]), [
    "                    ␣  c",
    "                 a  b  d",
    "             a 100",
    "            ␣b  50 50",
    "            cd  33 33 33",
  ]);
});

Deno.test("drawHeatmap() paints in 24-bit colour, or 256, the page's palette of the square root", () => {
  const [, first] = draw(["a", "b"], { colours: "truecolor" });
  // All of it is paper, as on the page in the dark.
  assert.equal(first, "             a \u001b[48;2;251;242;233m  \u001b[49m");
  const [, indexed] = draw(["a", "b"], { colours: "256" });
  assert.match(indexed!.replaceAll("\u001b", "ESC"), /ESC\[48;5;\d+m {2}ESC\[49m$/);
});

Deno.test("drawHeatmap() lets neighbours share a cell where there is no room, and rows still sum to 1", () => {
  const lines = draw(Array.from({ length: 40 }, (_, i) => `t${i}`), { columns: 14 + 1 + 3 * 10 });
  const rows = lines.filter((line) => /…\s+\d/.test(line));
  assert.equal(rows.length, 10);
  for (const row of rows) {
    const percents = row.trim().split(/ +/).slice(1).map(Number);
    const sum = percents.reduce((a, b) => a + b);
    assert(Math.abs(sum - 100) <= percents.length / 2, row);
  }
});

Deno.test("drawHeatmap() shows wide characters, and what would command the terminal, as text", () => {
  const text = draw(["東京タワーに行きました", "\u001b[31m", "a\nb", "\u202e"]).join("\n");
  assert(!text.includes("\u001b"));
  assert(!text.includes("\u202e"));
  assert.match(text, /\\u001b\[31m/);
  assert.match(text, /a⏎b/);
  // 14 columns hold 7 wide characters.
  assert.match(text, /^東京タワーに行 100$/m);
});

Deno.test("drawLegend() says what a cell is", () => {
  assert.match(drawLegend({ colours: "none" }), /^percent/);
  assert.match(drawLegend({ colours: "truecolor", top: 0.37 }), /^0 .* ≥ 37%, square root/);
});

Deno.test("the scale is the matrix's own, its first rows aside, and numbers stand in colours on request", () => {
  const P = 10;
  const matrix = new Float32Array(P * P).map((_, at) => at % P <= Math.floor(at / P) ? 0.1 : 0);
  matrix[0] = 1;
  matrix[9 * P + 3] = 0.5;
  assert.equal(topOf(matrix, P), 0.5);
  const labels = Array.from({ length: P }, (_, i) => `t${i}`);
  const look = { colours: "truecolor", hasNumbers: true } as const;
  const drawing = drawHeatmap(matrix, { labels, columns: 100, top: 0.5, ...look });
  assert.match(drawing, / 50 /);
  assert.equal(columnsOf(P, look), 15 + 4 * P);
});

Deno.test("page, terminal and notebooks have one palette", async () => {
  const { colours } = makeRamp(false);
  PALETTE.forEach((colour, index) => {
    const { r, g, b } = colours[Math.round(index * 255 / (PALETTE.length - 1))]!;
    assert.deepEqual(colour, [r, g, b].map(Math.round));
  });
  const python = await Deno.readTextFile("clients/python/src/infoflow/_draw.py");
  const ramp = python.slice(
    python.indexOf("RAMP = ["),
    python.indexOf("]", python.indexOf("RAMP")),
  );
  const numbers = Array.from(
    ramp.matchAll(/\((\d+), (\d+), (\d+)\)/g),
    (m) => m.slice(1).map(Number),
  );
  assert.deepEqual(numbers, PALETTE);
});
