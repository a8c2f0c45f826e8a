import { svg } from "../draw/elements.ts";
import { drawLegend } from "../draw/legend.ts";
import { widthOf } from "../draw/measure.ts";
import { coloursOf, factorOf, type Shade } from "../draw/shade.ts";
import { rampFor, type Theme } from "../draw/theme.ts";
import { labelText } from "../draw/token_label.ts";
import type { Matrix } from "../server/matrix.ts";
import { linkSentence } from "../widgets/details.ts";
import { type Direction, linksOf } from "../widgets/weights_of.ts";

/** The data of a text's drawing. */
export interface ColouredText {
  readonly matrix: Matrix;
  readonly shade: Shade;
  /** The token whose sources, or whose targets, are coloured. */
  readonly position: number;
  readonly direction: Direction;
}

const SIZE = 15;
const LINE = 30;
const LEGEND = 52;

/** The tokens as text, coloured by what they give one of them or take from it. */
export function drawText(
  { matrix, shade, position, direction, theme, width }: ColouredText & {
    readonly theme: Theme;
    readonly width: number;
  },
): SVGSVGElement {
  const ramp = rampFor(theme, shade);
  const weights = linksOf(matrix, position, direction);
  let [x, y] = [0, LEGEND];
  const tokens = matrix.tokens.flatMap((token, index) => {
    const text = labelText(token).replace(/^·/, "\u00a0");
    const room = widthOf(text, `${SIZE}px ${theme.font}`) + 1;
    if (x + room > width) [x, y] = [0, y + LINE];
    const isLit = weights[index] !== 0 && !(shade.hidesSelf && index === position);
    const target = direction === "sources" ? position : index;
    const { back, ink } = coloursOf(factorOf(shade.unit, target) * weights[index]!, shade, ramp);
    const group = svg(
      "g",
      { "data-says": linkSentence(matrix, position, index, direction) },
      svg("rect", {
        x,
        y,
        width: room,
        height: LINE - 6,
        rx: 3,
        fill: isLit ? back : theme.paper,
        ...index === position ? { stroke: theme.ink, "stroke-width": 1.5 } : {},
      }),
      svg("text", {
        x: x + 0.5,
        y: y + 17,
        "font-size": SIZE,
        "xml:space": "preserve",
        "unicode-bidi": "isolate",
        fill: isLit ? ink : theme.ink,
      }, text),
    );
    x += room;
    if (token.includes("\n")) [x, y] = [0, y + LINE];
    return [group];
  });
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${y + LINE + 4}`, "font-family": theme.font },
    drawLegend(shade, theme, { right: 260, top: 0, width: 250 }),
    ...tokens,
  );
}
