import { svg } from "../draw/elements.ts";
import type { Theme } from "../draw/theme.ts";
import { captionOf, type Exhibit } from "./exhibit.ts";

const MARGIN = 16;
const WIDTH = 800;
const LINE = 17;

/** A figure with its title and what it is of, for slides and paper. */
export function figureOf(exhibit: Exhibit, theme: Theme): SVGSVGElement {
  const { name, note } = exhibit.heading;
  const drawing = exhibit.drawing(theme, WIDTH);
  const { width: inner, height: innerHeight } = drawing.viewBox.baseVal;
  const lines = wrapped(captionOf(exhibit), Math.max(60, Math.floor(inner / 6.4)));
  const head = MARGIN + 24 + lines.length * LINE + 10;
  const [width, height] = [Math.max(inner, 360) + 2 * MARGIN, head + innerHeight + MARGIN];
  drawing.setAttribute("x", String(MARGIN));
  drawing.setAttribute("y", String(head));
  drawing.setAttribute("width", String(inner));
  drawing.setAttribute("height", String(innerHeight));
  return svg(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      "font-family": theme.font,
      fill: theme.ink,
    },
    svg("title", {}, `${name}: ${note}`),
    svg("desc", {}, captionOf(exhibit)),
    svg("rect", { width, height, fill: theme.paper }),
    svg(
      "text",
      { x: MARGIN, y: MARGIN + 14, "font-size": 16, "font-weight": 650 },
      name,
      svg("tspan", { "font-size": 13, "font-weight": 400, fill: theme.muted, dx: 8 }, note),
    ),
    ...lines.map((line, index) =>
      svg("text", {
        x: MARGIN,
        y: MARGIN + 36 + index * LINE,
        "font-size": 12.5,
        fill: theme.muted,
        "unicode-bidi": "plaintext",
      }, line)
    ),
    drawing,
  );
}

const MOST_LINES = 4;

function wrapped(text: string, length: number): string[] {
  const lines = [""];
  for (const word of text.replaceAll(/\s+/g, " ").split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + word.length >= length) lines.push(word.slice(0, length));
    else lines[lines.length - 1] = `${line} ${word}`.trim();
  }
  // Of a long prompt the beginning.
  return lines.length <= MOST_LINES
    ? lines
    : [...lines.slice(0, MOST_LINES - 1), `${lines[MOST_LINES - 1]} …”`];
}
