import stringWidth from "string-width";
import type { InfoFlow } from "../server/answers/info_flow.ts";
import { type Colours, columnsOf, drawHeatmap, drawLegend, topOf } from "./heatmap.ts";

/** Columns where the terminal does not say how many it has. */
const COLUMNS = 160;
const GAP = 2;

/** Draws a flow on stdout, layers side by side where there is room. */
export async function drawFlow(infoFlow: InfoFlow, hasNumbers: boolean): Promise<void> {
  const { flow } = await infoFlow.compute();
  const labels = infoFlow.tokens.map(({ text }) => text);
  const colours = terminalColours();
  const all = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : COLUMNS;
  const top = topOf(flow, labels.length);
  const isByLayer = infoFlow.axes.includes("layer");
  const own = columnsOf(labels.length, { colours, hasNumbers });
  const abreast = isByLayer ? Math.max(1, Math.floor((all + GAP) / (own + GAP))) : 1;
  const columns = Math.floor((all + GAP) / abreast) - GAP;
  const size = labels.length ** 2;
  const blocks = Array.from({ length: flow.length / size }, (_, index) => {
    const matrix = flow.subarray(index * size, (index + 1) * size);
    const drawing = drawHeatmap(matrix, { labels, columns, colours, top, hasNumbers }).split("\n");
    return isByLayer ? [`layer ${infoFlow.chosen.layers[index]}`, ...drawing] : drawing;
  });
  for (let first = 0; first < blocks.length; first += abreast) {
    console.log(beside(blocks.slice(first, first + abreast), columns + GAP) + "\n");
  }
  console.log(drawLegend({ colours, top }));
}

/** Puts blocks of lines next to each other, each of a given width in columns. */
function beside(blocks: readonly (readonly string[])[], width: number): string {
  const height = Math.max(...blocks.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    blocks.map((block, index) => {
      const text = block[line] ?? "";
      return index === blocks.length - 1 ? text : text + " ".repeat(room(text, width));
    }).join("").trimEnd()).join("\n");
}

function room(text: string, width: number): number {
  return Math.max(0, width - stringWidth(text));
}

/** By the conventions of NO_COLOR and COLORTERM. */
function terminalColours(): Colours {
  if (Deno.env.get("NO_COLOR") || !Deno.stdout.isTerminal()) return "none";
  if (/^(truecolor|24bit)$/.test(Deno.env.get("COLORTERM") ?? "")) return "truecolor";
  return /256color/.test(Deno.env.get("TERM") ?? "") ? "256" : "none";
}
