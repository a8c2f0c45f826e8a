import { svg } from "./elements.ts";
import { coloursOf, type Shade, stepOf } from "./shade.ts";
import { rampFor, type Theme } from "./theme.ts";
import { labelText } from "./token_label.ts";

/** A cell of a grid. */
export interface GridCell {
  readonly value: number;
  /** What stands in it, where there is room. */
  readonly text?: string;
  /** A description, in a sentence. */
  readonly says: string;
}

/** A label above a column: a token, and another one where two prompts differ. */
export interface ColumnLabel {
  readonly text: string;
  /** What stands there in the other prompt, if it is something else. */
  readonly other?: string | undefined;
}

/** A grid: a row for each layer, and columns such as positions or heads. */
export interface GridPicture {
  readonly rows: readonly string[];
  readonly columns: readonly ColumnLabel[];
  /** Row-major. */
  readonly cells: readonly GridCell[];
  readonly shade: Shade;
  /** What the ends of the scale are, and its middle where it has one. */
  readonly ends: readonly string[];
  /** Its description for screen readers. */
  readonly title: string;
  /** The place of the cell that was chosen. */
  readonly chosen?: number | undefined;
}

const LEFT = 78;
const TOP = 8;
const LEGEND = 44;
/** What a turned label takes of a line. */
const LINE = 13;
const BARS = 48;

/** Draws a grid of a given width in pixels. Every cell has a title, and can be found by its row and column. */
export function drawGrid(picture: GridPicture, theme: Theme, width: number): SVGSVGElement {
  const { rows, columns, cells, shade, title } = picture;
  const column = Math.min(84, (width - LEFT - 4) / columns.length);
  const row = Math.max(22, Math.min(34, 480 / rows.length));
  const isTurned = column < 46;
  const every = Math.ceil(LINE / column); // column that is named
  const hasTwo = columns.some(({ other }) => other !== undefined);
  const head = (isTurned ? 92 : 24) + (hasTwo ? (isTurned ? 70 : 18) : 0);
  const top = TOP + head;
  const height = top + rows.length * row + LEGEND;
  const ramp = rampFor(theme, shade);
  const most = Math.max(1, Math.floor((column - 4) / 6.6));
  return svg(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      "font-family": theme.font,
      "font-size": 12,
      fill: theme.ink,
    },
    svg("title", {}, title),
    svg("rect", { width, height, fill: theme.paper }),
    ...columns.flatMap((label, index) =>
      index % every === 0 || label.other !== undefined
        ? drawColumnLabel(label, { theme, column, isTurned, bottom: top, x: LEFT + index * column })
        : []
    ),
    ...rows.map((name, index) =>
      svg(
        "text",
        { x: LEFT - 8, y: top + (index + 0.5) * row + 4, "text-anchor": "end", fill: theme.muted },
        name,
      )
    ),
    ...cells.map(({ value, text, says }, place) => {
      const [x, y] = [place % columns.length, Math.floor(place / columns.length)];
      const { back, ink } = coloursOf(value, shade, ramp);
      const isChosen = place === picture.chosen;
      return svg(
        "g",
        { class: "cell", "data-place": place, role: "button", "aria-label": says, tabindex: -1 },
        svg("rect", {
          x: LEFT + x * column + 0.5,
          y: top + y * row + 0.5,
          width: Math.max(1, column - 1),
          height: row - 1,
          fill: back,
          ...isChosen && { stroke: theme.ink, "stroke-width": 2 },
        }),
        ...text !== undefined && column >= 24
          ? [svg("text", {
            x: LEFT + (x + 0.5) * column,
            y: top + (y + 0.5) * row + 4,
            "text-anchor": "middle",
            "font-size": column < 40 ? 9.5 : 11,
            fill: ink,
            "pointer-events": "none",
          }, labelText(text, most))]
          : [],
      );
    }),
    drawScale(picture, theme, { left: LEFT, top: top + rows.length * row + 12 }),
  );
}

function drawColumnLabel(
  { text, other }: ColumnLabel,
  { theme, column, isTurned, bottom, x }: {
    theme: Theme;
    column: number;
    isTurned: boolean;
    bottom: number;
    x: number;
  },
): SVGElement[] {
  const centre = x + column / 2;
  const most = isTurned ? 11 : Math.max(1, Math.floor((column - 4) / 6.6));
  const differs = other !== undefined;
  const label = (text: string, up: number, isOther: boolean): SVGElement =>
    svg("text", {
      ...isTurned
        ? { transform: `translate(${centre + 4} ${bottom - 6 - up}) rotate(-60)` }
        : { x: centre, y: bottom - 8 - up, "text-anchor": "middle" },
      ...differs && { "font-weight": 700 },
      ...isOther && { fill: theme.muted, "text-decoration": "line-through" },
    }, labelText(text, most));
  return [
    label(text, 0, false),
    ...differs ? [label(other, isTurned ? 70 : 16, true)] : [],
  ];
}

function drawScale(
  { shade, ends }: GridPicture,
  theme: Theme,
  { left, top }: { left: number; top: number },
): SVGElement {
  const width = 220;
  const ramp = rampFor(theme, shade);
  const bars = Array.from({ length: BARS }, (_, i) => {
    const share = (i + 0.5) / BARS;
    const value = shade.top * (shade.diverges ? 2 * share - 1 : share);
    return svg("rect", {
      x: left + i / BARS * width,
      y: top,
      width: width / BARS + 0.5,
      height: 9,
      fill: ramp.colours[stepOf(value, shade)]!.formatHex(),
    });
  });
  const anchors = ["start", "middle", "end"];
  return svg(
    "g",
    { class: "legend", "font-size": 11, fill: theme.muted },
    ...bars,
    ...ends.map((text, index) => {
      const share = ends.length === 1 ? 0 : index / (ends.length - 1);
      const anchor = anchors[Math.round(2 * share)]!;
      return svg("text", { x: left + share * width, y: top + 22, "text-anchor": anchor }, text);
    }),
  );
}
