import type { Matrix } from "../server/matrix.ts";
import { svg } from "./elements.ts";
import { type Frame, hasCorner, LONGEST_LABEL, xOf, yOf } from "./frame.ts";
import { drawLegend } from "./legend.ts";
import { coloursOf, factorOf, type Shade } from "./shade.ts";
import { rampFor, type Theme } from "./theme.ts";
import { labelParts } from "./token_label.ts";

/** Draws what is around the cells of a heatmap: labels, legend, axis titles, and numbers where cells have room. */
export function drawSurroundings(
  matrix: Matrix,
  { frame, shade, theme }: { frame: Frame; shade: Shade; theme: Theme },
): SVGGElement {
  const { left, top, side, step, fontSize } = frame;
  const { window } = frame;
  const labelled = (from: number): number[] =>
    Array.from({ length: window.size }, (_, index) => from + index)
      .filter((index) => index % step === 0 && index < matrix.tokens.length);
  const targets = labelled(window.target).map((index) =>
    targetLabel(matrix.tokens[index]!, index, frame, theme)
  );
  const sources = labelled(window.source).map((index) =>
    sourceLabel(matrix.tokens[index]!, index, frame, theme)
  );
  const inCorner = hasCorner(window);
  return svg(
    "g",
    { "font-family": theme.font, "font-size": fontSize, fill: theme.ink },
    svg("g", { class: "targets" }, ...targets),
    svg("g", { class: "sources" }, ...sources),
    drawLegend(shade, theme, {
      right: left + side,
      top: inCorner ? top : 2,
      width: Math.min(inCorner ? side * 0.5 : side, 230),
    }),
    ...axisTitles(frame, theme),
    ...numbers(matrix, { frame, shade, theme }),
  );
}

/** The label of a target, to the left of its row. */
export function targetLabel(
  token: string,
  index: number,
  frame: Frame,
  theme: Theme,
): SVGTextElement {
  const { left, fontSize } = frame;
  return label(token, theme, {
    x: left - 7,
    y: yOf(frame, index + 0.5) + fontSize * 0.35,
    "text-anchor": "end",
  });
}

/** The label of a source, below its column. */
export function sourceLabel(
  token: string,
  index: number,
  frame: Frame,
  theme: Theme,
): SVGTextElement {
  const { top, side, turn, fontSize } = frame;
  const x = xOf(frame, index + 0.5) + (turn === 90 ? fontSize * 0.35 : 3);
  const y = top + side + (turn === 90 ? 7 : 13);
  return label(token, theme, {
    transform: `translate(${x} ${y}) rotate(${-turn})`,
    "text-anchor": "end",
  });
}

function label(
  token: string,
  theme: Theme,
  attributes: Record<string, string | number>,
): SVGTextElement {
  const spans = labelParts(token, LONGEST_LABEL).map(({ text, isMark }) =>
    svg("tspan", isMark ? { fill: text.length > 2 ? theme.muted : theme.faint } : {}, text)
  );
  return svg(
    "text",
    { "unicode-bidi": "isolate", "xml:space": "preserve", ...attributes },
    ...spans,
  );
}

function axisTitles({ left, top, side, height }: Frame, theme: Theme): SVGTextElement[] {
  const small = { fill: theme.muted, "font-size": 11, "text-anchor": "middle" };
  const y = top + side / 2;
  return [
    svg(
      "text",
      { ...small, x: left + side / 2, y: height - 5 },
      "source token: where it comes from",
    ),
    svg(
      "text",
      { ...small, x: 11, y, transform: `rotate(-90 11 ${y})` },
      "target token: where it goes",
    ),
  ];
}

/** Percent without their sign, or times an even share; nothing for next to nothing. */
function numberOf(weight: number, { unit }: Shade): string {
  const rounded = unit === "even" ? Math.round(10 * weight) / 10 : Math.round(100 * weight);
  return rounded === 0 ? "" : String(rounded);
}

const ROOM_FOR_NUMBER = 26;

function numbers(
  { values, positions }: Matrix,
  { frame, shade, theme }: { frame: Frame; shade: Shade; theme: Theme },
): SVGTextElement[] {
  const { cell, window } = frame;
  if (cell < ROOM_FOR_NUMBER) return [];
  const texts: SVGTextElement[] = [];
  const end = Math.min(positions, window.target + window.size);
  for (let target = window.target; target < end; target++) {
    const last = Math.min(target, window.source + window.size - 1);
    for (let source = window.source; source <= last; source++) {
      if (shade.hidesSelf && source === target) continue;
      const weight = factorOf(shade.unit, target) * values[target * positions + source]!;
      const text = numberOf(weight, shade);
      if (text === "") continue;
      texts.push(svg("text", {
        x: xOf(frame, source + 0.5),
        y: yOf(frame, target + 0.5) + 4,
        "text-anchor": "middle",
        "font-size": 11,
        fill: coloursOf(weight, shade, rampFor(theme, shade)).ink,
      }, text));
    }
  }
  return texts;
}
