import { svg } from "../../draw/elements.ts";
import { activationOf, count } from "../../draw/format.ts";
import { stepOf } from "../../draw/shade.ts";
import type { Theme } from "../../draw/theme.ts";

const WIDTH = 320;
const HEIGHT = 120;
const FOOT = 18;

/** Draws how often a feature is how large: 50 bars of (0, max], whose heights grow with the logarithm. */
export function drawHistogram(
  { histogram, max }: { readonly histogram: readonly number[]; readonly max: number },
  theme: Theme,
): SVGSVGElement {
  const most = Math.max(1, ...histogram);
  const bar = WIDTH / histogram.length;
  const heightOf = (times: number): number =>
    times === 0 ? 0 : (HEIGHT - FOOT - 14) * (0.04 + 0.96 * Math.log1p(times) / Math.log1p(most));
  const middle = (histogram.length - 1) / 2;
  const bars = histogram.map((times, at) => {
    const [from, to] = [at, at + 1].map((edge) => activationOf(max * edge / histogram.length));
    const shade = { top: histogram.length, curve: "linear" } as const;
    const says = `${count(times)} times above ${from}, to ${to}`;
    const rect = svg("rect", {
      x: at * bar + 0.5,
      y: HEIGHT - FOOT - heightOf(times),
      width: bar - 1,
      height: heightOf(times),
      // The lightest colours are hardly seen.
      fill: theme.ramp.colours[stepOf(histogram.length / 4 + 0.75 * at, shade)]!.formatHex(),
      "data-says": says,
    }, svg("title", {}, says));
    return rect;
  });
  const label = (x: number, text: string, anchor: string): SVGTextElement =>
    svg("text", { x, y: HEIGHT - 4, "text-anchor": anchor }, text);
  const largest = histogram.indexOf(most);
  return svg(
    "svg",
    {
      class: "histogram",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": `How often it is how large, from 0 to ${activationOf(max)}: most often, ${
        count(most)
      } times, around ${activationOf(max * (largest + 0.5) / histogram.length)}`,
      "font-size": 11,
      fill: theme.muted,
    },
    svg("text", { x: 0, y: 10 }, `${count(most)} at most, logarithmic`),
    ...bars,
    svg("line", {
      x1: 0,
      x2: WIDTH,
      y1: HEIGHT - FOOT,
      y2: HEIGHT - FOOT,
      stroke: theme.faint,
    }),
    label(0, "0", "start"),
    label(middle * bar, activationOf(max / 2), "middle"),
    label(WIDTH, activationOf(max), "end"),
  );
}
