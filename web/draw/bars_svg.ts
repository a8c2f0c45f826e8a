import { svg } from "./elements.ts";
import type { Theme } from "./theme.ts";
import { labelText } from "./token_label.ts";

/** A bar of a token. */
export interface Bar {
  readonly value: number;
  /** What it is of. */
  readonly name: string;
  /** Whether it is of what is chosen, here or at another token. */
  readonly isChosen: boolean;
  /** A description, in a sentence. */
  readonly says: string;
}

/** Bars under one name. */
export interface BarSection {
  /** Of two lines. */
  readonly names: readonly [string, string];
  /** The value of a bar that is as wide as its column. */
  readonly top: number;
  /** How many places for bars each column has. */
  readonly places: number;
}

/** The bars of each token, the largest first, in sections below each other. */
export interface BarsPicture {
  readonly columns: readonly string[];
  readonly sections: readonly BarSection[];
  /** Row-major, a row for each place of each section; nothing where a token has no more. */
  readonly cells: readonly (Bar | undefined)[];
  /** The longest name that a bar can have. */
  readonly longest: string;
  /** Its description for screen readers. */
  readonly title: string;
  /** The place of the bar that was chosen. */
  readonly chosen?: number | undefined;
  /** The column of the chosen token. */
  readonly column: number;
}

const LEFT = 62;
const HEAD = 30;
const ROW = 29;
const GAP = 12;
const WIDEST = 110;
/** Of a character of a name. */
const CHARACTER = 7;
/** The room of a bar's number, and the least for the longest bar. */
const NUMBER = 29;
const LEAST_BAR = 18;
const BAR = 6;

/** Which tokens have room: all, or as many as there is room for around the column of a place. */
export function columnsInSight(
  { columns, longest, column }: BarsPicture,
  width: number,
  place: number | undefined,
): { readonly first: number; readonly count: number } {
  const least = Math.max(CHARACTER * longest.length, LEAST_BAR + NUMBER) + 7;
  const count = Math.max(1, Math.min(columns.length, Math.floor((width - LEFT) / least)));
  const centre = place === undefined ? column : place % columns.length;
  const first = Math.max(0, Math.min(columns.length - count, centre - Math.floor(count / 2)));
  return { first, count };
}

/** Draws the bars of the tokens that have room in a width in pixels, those around a place. */
export function drawBars(
  picture: BarsPicture,
  theme: Theme,
  { width, place = picture.chosen }: {
    readonly width: number;
    readonly place?: number | undefined;
  },
): SVGSVGElement {
  const { columns, sections, cells, title } = picture;
  const { first, count } = columnsInSight(picture, width, place);
  const column = Math.min(WIDEST, (width - LEFT - 2) / count);
  const most = Math.max(1, Math.floor((column - 6) / 6.8));
  const tops = sections.map((_, at) =>
    HEAD + sections.slice(0, at).reduce((sum, { places }) => sum + places * ROW + GAP, 0)
  );
  const last = sections.at(-1);
  const isPart = count < columns.length;
  const height = (last ? tops.at(-1)! + last.places * ROW + 4 : HEAD) + (isPart ? ROW : 0);
  const right = LEFT + count * column;
  const isInSight = picture.column >= first && picture.column < first + count;
  const xOf = (index: number): number => LEFT + (index - first) * column;
  const inSight = `Tokens ${first + 1} to ${first + count} of ${columns.length}`;
  let row = 0;
  return svg(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      "font-family": theme.font,
      "font-size": 11,
      fill: theme.ink,
    },
    svg("title", {}, title),
    svg("rect", { width, height, fill: theme.paper }),
    ...isInSight
      ? [svg("rect", {
        x: xOf(picture.column),
        y: 2,
        width: column,
        height: height - (isPart ? ROW : 0) - 4,
        rx: 5,
        fill: theme.ramp.colours[0]!.formatHex(),
      })]
      : [],
    ...columns.slice(first, first + count).map((text, index) =>
      svg(
        "text",
        {
          x: LEFT + index * column + 5,
          y: 19,
          "font-size": 12,
          ...first + index === picture.column && { "font-weight": 700 },
        },
        labelText(text, most),
      )
    ),
    ...isPart ? [svg("text", { x: LEFT + 5, y: height - 8, fill: theme.muted }, inSight)] : [],
    ...sections.flatMap(({ names, top, places }, section) => {
      const y = tops[section]!;
      const rows = Array.from({ length: places }, (_, index) => ({ index, row: row++ }));
      return [
        svg("line", { x1: 0, x2: right, y1: y - 4, y2: y - 4, stroke: theme.faint, opacity: 0.4 }),
        svg("text", { x: 0, y: y + 13, "font-size": 12, "font-weight": 600 }, names[0]),
        svg("text", { x: 0, y: y + 29, fill: theme.muted }, labelText(names[1], 9)),
        ...rows.flatMap(({ index, row }) =>
          Array.from({ length: count }, (_, n) => row * columns.length + first + n)
            .flatMap((at) => {
              const bar = cells[at];
              if (!bar) return [];
              const box = { x: xOf(at % columns.length), y: y + index * ROW, column };
              return [drawBar(bar, theme, { ...box, top, at, isHere: at === picture.chosen })];
            })
        ),
      ];
    }),
  );
}

function drawBar(
  { value, name, isChosen, says }: Bar,
  theme: Theme,
  { x, y, column, top, at, isHere }: {
    readonly x: number;
    readonly y: number;
    readonly column: number;
    readonly top: number;
    readonly at: number;
    readonly isHere: boolean;
  },
): SVGElement {
  const colours = theme.ramp.colours;
  const fill = colours[Math.round((isChosen ? 0.62 : 0.32) * (colours.length - 1))]!.formatHex();
  const weight = isChosen ? { "font-weight": 700 } : {};
  const length = Math.max(1, (column - 7 - NUMBER) * Math.min(1, value / top));
  return svg(
    "g",
    { class: "cell", "data-place": at, role: "button", "aria-label": says, tabindex: -1 },
    svg("rect", {
      x: x + 1,
      y: y + 0.5,
      width: column - 2,
      height: ROW - 2,
      rx: 3,
      fill: "transparent",
      ...isHere && { stroke: theme.ink, "stroke-width": 1.5 },
    }),
    svg("text", { x: x + 4, y: y + 12, "pointer-events": "none", ...weight }, name),
    svg("rect", {
      x: x + 4,
      y: y + 17,
      width: length,
      height: BAR,
      rx: 1.5,
      fill,
      "pointer-events": "none",
    }),
    svg(
      "text",
      {
        x: x + 7 + length,
        y: y + 23.5,
        "font-size": 10,
        "pointer-events": "none",
        ...isChosen ? weight : { fill: theme.muted },
      },
      value.toFixed(1),
    ),
  );
}
