import { html, svg } from "../draw/elements.ts";
import { count, share, timesOf } from "../draw/format.ts";
import { drawLegend } from "../draw/legend.ts";
import type { Shade } from "../draw/shade.ts";
import type { PageState } from "../page_state.ts";
import type { Matrix } from "../server/matrix.ts";
import type { Known } from "../exhibits/known.ts";
import type { Tools } from "../views/view.ts";
import { cellSentence, drawDetails } from "./details.ts";
import { type Cell, Heatmap } from "./heatmap.ts";
import { Segments } from "./segments.ts";
import { TextView } from "./text.ts";

/** The data of a board. */
export interface BoardPicture {
  readonly known: Known;
  readonly matrix: Matrix;
  readonly shade: Shade;
  /** Its description for screen readers. */
  readonly title: string;
}

/** A matrix of targets and sources as a heatmap and as text, with the strongest links of the chosen token in a table. */
export class MatrixBoard {
  readonly heatmap = html("div", {
    class: "heatmap",
    id: "heatmap",
    tabindex: 0,
    role: "application",
    "aria-roledescription": "heatmap",
    "aria-describedby": "keys",
  });
  readonly hint = html(
    "p",
    { class: "hint", id: "keys" },
    html("span", { class: "keys" }, "Arrow keys move over the cells, Enter chooses a token."),
    html("span", { class: "touch" }, "Tap a cell to see what it is and to choose its token."),
  );
  readonly text = html("div", {
    class: "text",
    id: "text",
    role: "group",
    "aria-label": "The prompt’s tokens",
  });
  /** What the colours of the text mean. */
  readonly legend = html("div", { class: "text-legend" });
  readonly details = html("div", { id: "details" });
  readonly direction: HTMLElement;
  readonly #direction: Segments<"sources" | "targets">;
  readonly #heatmap: Heatmap;
  readonly #text: TextView;
  readonly #tools: Tools;
  #picture: BoardPicture | undefined;
  #pointed: number | undefined;

  constructor(tools: Tools) {
    this.#tools = tools;
    const choose = (token: number): void => tools.change({ token });
    this.#direction = new Segments(
      "Direction",
      { sources: "What feeds it", targets: "What it feeds" },
      (direction) => tools.change({ direction }, "replace"),
    );
    this.direction = this.#direction.element;
    this.direction.id = "direction";
    this.#heatmap = new Heatmap(this.heatmap, {
      point: (cell, by) => this.#pointCell(cell, by),
      choose,
    });
    this.hint.append(this.#heatmap.zoom.buttons);
    this.#text = new TextView(this.text, {
      point: (position) => {
        this.#pointed = position;
        this.#drawDetails();
      },
      choose,
    });
  }

  /** Draws a matrix in place of the one before it. */
  show(picture: BoardPicture): void {
    // If only the chosen token changed, the cell pointed at stays.
    if (picture.matrix !== this.#picture?.matrix) {
      this.#pointed = undefined;
      this.#tools.tip.hide();
    }
    this.#picture = picture;
    const { matrix, shade, title, known: { theme, state, spans } } = picture;
    const { direction, prompt } = state;
    this.#direction.show(direction);
    this.#heatmap.show({ matrix, shade, theme, title });
    this.#text.show({ prompt, spans, matrix, theme, shade, direction });
    this.#drawLegend(picture);
    const chosen = chosenOf(matrix, state);
    this.#heatmap.mark(chosen);
    this.#text.mark(chosen);
    this.#drawDetails();
  }

  /** Draws a small picture large; where positions share its cells, it has no numbers of single tokens. */
  preview({ matrix, shade, known: { theme, state, spans }, title }: BoardPicture): void {
    this.#heatmap.show({ matrix, shade, theme, title });
    const { direction, prompt } = state;
    if ((matrix.pool ?? 1) === 1) {
      const position = chosenOf(matrix, state);
      this.#heatmap.mark(position);
      this.#text.show({ prompt, spans, matrix, theme, shade, direction });
      drawDetails(this.details, { matrix, position, direction, theme, shade });
    } else {
      this.#heatmap.mark(undefined);
      this.details.replaceChildren(html("p", { class: "note" }, "Click to see its numbers."));
    }
  }

  #drawLegend({ shade, known: { theme } }: BoardPicture): void {
    const width = 260;
    this.legend.replaceChildren(svg(
      "svg",
      { viewBox: `0 0 ${width + 20} 42`, width: width + 20, height: 42, "aria-hidden": "true" },
      drawLegend(shade, theme, { right: width, top: 2, width: width - 10 }),
    ));
  }

  #drawDetails(): void {
    if (!this.#picture) return;
    const { matrix, shade, known: { theme, state } } = this.#picture;
    const { direction } = state;
    const position = this.#pointed ?? chosenOf(matrix, state);
    if (position < matrix.positions) {
      drawDetails(this.details, { matrix, position, direction, theme, shade });
    }
  }

  #pointCell(cell: Cell | undefined, by: "pointer" | "keyboard"): void {
    const { tip, live } = this.#tools;
    if (!cell || !this.#picture) {
      tip.hide();
      this.#pointed = undefined;
      return this.#drawDetails();
    }
    const { matrix, shade, known: { state: { direction } } } = this.#picture;
    const dropped = matrix.dropped[cell.target]!;
    const sentence = cellSentence(matrix, cell);
    const sources = cell.target + 1;
    const left = [
      ...shade.unit === "even" && !matrix.isChange
        ? [`${timesOf(sources * weightAt(matrix, cell))} an even share of ${count(sources)}`]
        : [],
      ...dropped > 0 ? [`BOS had ${share(dropped)} of this row`] : [],
    ];
    const { x, y } = this.heatmap.getBoundingClientRect();
    const centre = this.#heatmap.centreOf(cell);
    tip.show([sentence, ...left], { x: x + scrollX + centre.x, y: y + scrollY + centre.y });
    if (by === "keyboard") live.textContent = [sentence, ...left].join(". ");
    const pointed = direction === "sources" ? cell.target : cell.source;
    if (pointed === this.#pointed) return;
    this.#pointed = pointed;
    this.#drawDetails();
  }
}

/** The chosen token; by itself the last one, which the model goes on from. */
export function chosenOf(
  { positions }: Pick<Matrix, "positions">,
  { token, direction }: Pick<PageState, "token" | "direction">,
): number {
  if (token !== undefined && token < positions) return token;
  // The last token feeds nothing but itself; the first may feed all others.
  return direction === "targets" ? 0 : positions - 1;
}

function weightAt({ values, positions }: Matrix, { target, source }: Cell): number {
  return values[target * positions + source]!;
}
