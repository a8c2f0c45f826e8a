import { labelText } from "./token_label.ts";
import { whole, type Window } from "./window.ts";
import { widthOf } from "./measure.ts";

/** Where the parts of a heatmap are, in pixels. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** The left edge of the cells. */
  readonly left: number;
  /** The upper edge of the cells. */
  readonly top: number;
  /** The side of all cells together. */
  readonly side: number;
  /** The side of a cell. */
  readonly cell: number;
  /** Every how many positions there is room for a label. */
  readonly step: number;
  /** Degrees by which source labels are turned. */
  readonly turn: number;
  readonly fontSize: number;
  /** What of it is in sight. */
  readonly window: Window;
}

/** The left edge of a source's column. */
export function xOf({ left, cell, window }: Frame, source: number): number {
  return left + (source - window.source) * cell;
}

/** The upper edge of a target's row. */
export function yOf({ top, cell, window }: Frame, target: number): number {
  return top + (target - window.target) * cell;
}

/** The most letters of a label; the whole token is seen when it is pointed at. */
export const LONGEST_LABEL = 14;
const AXIS_TITLE = 22;
const LEGEND = 46;
const MOST_MEASURED = 200;

/** In a window that is lower than this, the picture goes on below it; one of many tokens needs more. */
const LEAST_SIDE = { few: 300, many: 460 };
const MANY = 64;

/** Lays a heatmap out in so much width, all of it within so much height if that is not too little. */
export function layOut(
  tokens: readonly string[],
  { available, room, font, window = whole(tokens.length) }: {
    available: number;
    room: number;
    font: string;
    window?: Window;
  },
): Frame {
  const fontSize = available < 480 ? 11 : 12.5;
  const stride = Math.ceil(tokens.length / MOST_MEASURED);
  const widest = Math.max(
    ...tokens.filter((_, index) => index % stride === 0).map((token) =>
      widthOf(labelText(token, LONGEST_LABEL), `${fontSize}px ${font}`)
    ),
  );
  const label = Math.min(widest + 10, available * 0.26);
  const left = Math.ceil(label + AXIS_TITLE);
  // In few cells, or off the diagonal, there is no corner for the legend: it goes above them.
  const top = hasCorner(window) ? 4 : LEGEND;
  const least = tokens.length > MANY ? LEAST_SIDE.many : LEAST_SIDE.few;
  const most = Math.max(least, room - top - label - AXIS_TITLE - 4);
  const side = Math.max(80, Math.min(available - left - 4, most, 132 * window.size));
  const cell = side / window.size;
  const turn = cell > 2.2 * fontSize ? 45 : 90;
  const below = (turn === 45 ? label * 0.78 + 10 : label + 2) + AXIS_TITLE;
  return {
    width: available,
    height: Math.ceil(top + side + below),
    left,
    top,
    side,
    cell,
    step: Math.max(1, Math.ceil(1.15 * fontSize / cell)),
    turn,
    fontSize,
    window,
  };
}

/** Whether the corner above the diagonal is empty. */
export function hasCorner({ source, target, size }: Window): boolean {
  return size >= 4 && target - source < size / 4;
}
