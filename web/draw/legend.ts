// @ts-types="@types/d3-scale"
import { scalePow, type ScalePower } from "d3-scale";
import { svg } from "./elements.ts";
import { tickOf, timesOf } from "./format.ts";
import { type Shade, stepOf } from "./shade.ts";
import { rampFor, type Theme } from "./theme.ts";

const UNITS = {
  share: "share of what the target takes",
  even: "times an even share: 1 is no preference",
};
const HEIGHT = 10;
const BARS = 64;

/** Draws the colour scale with its ticks, its right end at (`right`, `top`). */
export function drawLegend(
  shade: Shade,
  theme: Theme,
  { right, top, width }: { right: number; top: number; width: number },
): SVGGElement {
  const left = right - width;
  const scale = scaleOf(shade, left, right);
  const ramp = rampFor(theme, shade);
  const bars = Array.from({ length: BARS }, (_, i) => {
    const weight = scale.invert(left + (i + 0.5) / BARS * width);
    return svg("rect", {
      x: left + i / BARS * width,
      y: top + 14,
      width: width / BARS + 0.5,
      height: HEIGHT,
      fill: ramp.colours[stepOf(weight, shade)]!.formatHex(),
    });
  });
  const ticks = ticksOf(shade, scale, width).map(({ weight, text, anchor }) =>
    svg(
      "text",
      { x: scale(weight), y: top + 14 + HEIGHT + 13, "text-anchor": anchor },
      text,
    )
  );
  const title = svg(
    "text",
    { x: right, y: top + 8, "text-anchor": "end" },
    shade.diverges ? "more or less than unchanged" : UNITS[shade.unit ?? "share"],
  );
  return svg(
    "g",
    { class: "legend", "font-size": 11, fill: theme.muted },
    title,
    ...bars,
    ...ticks,
  );
}

function scaleOf(
  { top, curve, diverges }: Shade,
  left: number,
  right: number,
): ScalePower<number, number> {
  return scalePow().exponent(curve === "sqrt" ? 0.5 : 1).domain([diverges ? -top : 0, top])
    .range([left, right]);
}

interface Tick {
  readonly weight: number;
  readonly text: string;
  readonly anchor: "start" | "middle" | "end";
}

/** The ends, and what has room between them. */
function ticksOf(
  { top, diverges, unit }: Shade,
  scale: ScalePower<number, number>,
  width: number,
): Tick[] {
  const said = unit === "even" ? timesOf : tickOf;
  if (diverges) {
    return [
      { weight: -top, text: `−${said(top)}`, anchor: "start" },
      { weight: 0, text: "0", anchor: "middle" },
      { weight: top, text: `+${said(top)}`, anchor: "end" },
    ];
  }
  const ticks: Tick[] = [{ weight: 0, text: said(0), anchor: "start" }];
  const room = Math.min(58, width / 3);
  const between = unit === "even" ? [1, 2, 5, 10, 20, 50] : PARTS.map((part) => nice(top * part));
  for (const weight of between.filter((weight) => weight < top)) {
    const x = scale(weight);
    // Of even shares 1 is always named: it is what the others are read by.
    const isRoomy = x - scale(ticks.at(-1)!.weight) > room && scale(top) - x > 1.4 * room;
    if (isRoomy || unit === "even" && weight === 1) {
      ticks.push({ weight, text: said(weight), anchor: "middle" });
    }
  }
  const end = unit === "even" || top < 1 ? `≥ ${said(top)}` : said(top);
  return [...ticks, { weight: top, text: end, anchor: "end" }];
}

const PARTS = [0.01, 0.05, 0.1, 0.25, 0.5, 0.75];

/** The nearest number of one digit. */
function nice(weight: number): number {
  return Number(weight.toPrecision(1));
}
