import { html } from "../draw/elements.ts";
import { change, count, share } from "../draw/format.ts";
import { coloursOf, factorOf, type Shade } from "../draw/shade.ts";
import { rampFor, type Theme } from "../draw/theme.ts";
import { labelParts, labelText } from "../draw/token_label.ts";
import type { Matrix } from "../server/matrix.ts";
import { type Direction, linksOf, strongest } from "./weights_of.ts";

/** What the details are about. */
export interface DetailsPicture {
  readonly matrix: Matrix;
  readonly position: number;
  readonly direction: Direction;
  readonly theme: Theme;
  readonly shade: Shade;
}

const MOST_ROWS = 8;

/** Draws the table of the strongest sources of a token, or of the targets that take most from it. */
export function drawDetails(element: HTMLElement, picture: DetailsPicture): void {
  const { matrix, position, direction, theme, shade } = picture;
  const weights = linksOf(matrix, position, direction);
  const strong = strongest(weights, MOST_ROWS + 1)
    .filter((at) => !(shade.hidesSelf && at === position)).slice(0, MOST_ROWS);
  const top = Math.abs(weights[strong[0] ?? 0] ?? 0);
  const targetOf = (at: number): number => direction === "sources" ? position : at;
  const isSources = direction === "sources";
  const said = matrix.isChange ? change : share;
  const caption = html(
    "caption",
    {},
    captionOf(isSources, matrix.isChange === true),
    tokenOf(matrix.tokens[position]!),
    html("span", { class: "place" }, `position ${count(position)}`),
  );
  const head = html(
    "tr",
    {},
    html("th", { scope: "col" }, isSources ? "Source" : "Target"),
    html("th", { scope: "col", class: "number" }, "Position"),
    html("th", { scope: "col", class: "number" }, "Share"),
  );
  const rows = strong.map((at) => {
    const bar = html("i");
    bar.style.width = `${100 * Math.abs(weights[at]!) / top}%`;
    const weight = factorOf(shade.unit, targetOf(at)) * weights[at]!;
    bar.style.backgroundColor = coloursOf(weight, shade, rampFor(theme, shade)).back;
    return html(
      "tr",
      {},
      html("th", { scope: "row" }, tokenOf(matrix.tokens[at]!)),
      html("td", { class: "number" }, count(at)),
      html(
        "td",
        { class: "number share" },
        html("span", { class: "meter" }, bar),
        html("span", {}, said(weights[at]!)),
      ),
    );
  });
  const dropped = matrix.dropped[position] ?? 0;
  const left = matrix.isChange
    ? "What the token takes more or less from each source than without the change."
    : isSources && dropped > 0
    ? `BOS had ${
      share(dropped)
    } of this row. It is left out, and the rest is divided by what remains.`
    : isSources
    ? ""
    : "Each share is of what that target takes, so these need not sum to 100%.";
  element.replaceChildren(
    html("table", {}, caption, html("thead", {}, head), html("tbody", {}, ...rows)),
    html("p", { class: "note" }, left),
  );
}

function captionOf(isSources: boolean, isChange: boolean): string {
  if (isChange) return isSources ? "What changes for " : "Tokens that take more or less from ";
  return isSources ? "Strongest sources of " : "Tokens that take most from ";
}

/** A token as it reads in running text. */
export function tokenOf(text: string): HTMLElement {
  const parts = labelParts(text, 24).map((part) =>
    part.isMark ? html("span", { class: "mark" }, part.text) : part.text
  );
  return html("bdi", { class: "quoted" }, ...parts);
}

/** What a token gives another or takes from it, in a sentence. */
export function linkSentence(
  matrix: Matrix,
  position: number,
  other: number,
  direction: Direction,
): string {
  const [target, source] = direction === "sources" ? [position, other] : [other, position];
  return source <= target ? cellSentence(matrix, { target, source }) : "";
}

/** A cell in a sentence, for the tip and for screen readers. */
export function cellSentence(
  matrix: Matrix,
  { target, source }: { target: number; source: number },
): string {
  const { tokens, values, positions } = matrix;
  const weight = values[target * positions + source]!;
  const said = matrix.isChange
    ? `${share(Math.abs(weight))} ${weight < 0 ? "less" : "more"}`
    : share(weight);
  return `${labelText(tokens[target]!)} takes ${said} from ${labelText(tokens[source]!)}`;
}
