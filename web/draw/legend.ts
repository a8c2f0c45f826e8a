// @ts-types="@types/d3-scale"
import { scalePow } from "d3-scale";
import { svg } from "./elements.ts";
import { tickOf } from "./format.ts";
import { STEPS } from "./ramp.ts";
import { type Shade, stepOf } from "./shade.ts";
import type { Theme } from "./theme.ts";

const HEIGHT = 10;
const BARS = 64;

/** Draws the colour scale with its ticks, its right end at (`right`, `top`). */
export function drawLegend(
  shade: Shade,
  theme: Theme,
  { right, top, width }: { right: number; top: number; width: number },
): SVGGElement {
  const left = right - width;
  const scale = scalePow().exponent(shade.curve === "sqrt" ? 0.5 : 1).domain([0, shade.top])
    .range([left, right]);
  const bars = Array.from({ length: BARS }, (_, i) => {
    const weight = scale.invert(left + (i + 0.5) / BARS * width);
    return svg("rect", {
      x: left + i / BARS * width,
      y: top + 14,
      width: width / BARS + 0.5,
      height: HEIGHT,
      fill: theme.ramp.colours[Math.min(STEPS - 1, stepOf(weight, shade))]!.formatHex(),
    });
  });
  const ticks = ticksOf(shade, scale, width).map((tick) =>
    svg("text", {
      x: scale(tick),
      y: top + 14 + HEIGHT + 13,
      "text-anchor": tick === 0 ? "start" : tick === shade.top ? "end" : "middle",
    }, tick === shade.top && shade.top < 1 ? `≥ ${tickOf(tick)}` : tickOf(tick))
  );
  const title = svg(
    "text",
    { x: right, y: top + 8, "text-anchor": "end" },
    "share of what the target takes",
  );
  return svg(
    "g",
    { class: "legend", "font-size": 11, fill: theme.muted },
    title,
    ...bars,
    ...ticks,
  );
}

/** The ends, and what has room between them. */
function ticksOf(
  { top }: Shade,
  scale: (weight: number) => number | undefined,
  width: number,
): number[] {
  const ticks = [0];
  const room = Math.min(58, width / 3);
  for (const part of [0.01, 0.05, 0.1, 0.25, 0.5, 0.75].map((share) => nice(top * share))) {
    const x = scale(part)!;
    if (x - scale(ticks.at(-1)!)! > room && scale(top)! - x > 1.4 * room) ticks.push(part);
  }
  return [...ticks, top];
}

/** The nearest number of one digit. */
function nice(weight: number): number {
  return Number(weight.toPrecision(1));
}
