import { html } from "../../draw/elements.ts";
import { share } from "../../draw/format.ts";
import { drawGrid, type GridCell, type GridPicture } from "../../draw/grid_svg.ts";
import { labelText } from "../../draw/token_label.ts";
import type { Exhibit } from "../../exhibits/exhibit.ts";
import { GridBoard } from "../../widgets/grid_board.ts";
import { tokenOf } from "../../widgets/details.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import { type Lens, lensCall, lensOf, type LensToken } from "./question.ts";

/** What every position would predict if the model ended after each layer; layers downwards. */
export class LensView implements View {
  readonly slots: Slots;
  readonly #grid: GridBoard;
  readonly #details = html("div", { id: "details" });
  readonly #any = html("button", { type: "button" }, "Colour by each cell’s most likely token");
  #lens: Lens | undefined;

  constructor(tools: Tools) {
    this.#grid = new GridBoard(tools, (place) => {
      const [best] = this.#lens?.cells[place] ?? [];
      if (best) tools.change({ lens: best.text });
    });
    this.#any.addEventListener("click", () => tools.change({ lens: "" }));
    this.slots = { stage: [this.#grid.element], side: [this.#any, this.#details] };
  }

  says(): string {
    return "What each position would predict if the model ended after that layer (the logit lens, nostalgebraist 2020). " +
      "Early layers may write the same thing differently, so what seems missing there need not be.";
  }

  async show(asked: Asked): Promise<void> {
    const { state, reading: { tokens }, theme, ask, present } = asked;
    const lens = await ask(lensOf(state.prompt, state.model));
    const picture = pictureOf(lens, tokens.map(({ text }) => text), state.lens);
    present(exhibitOf(asked, lens, picture), () => {
      this.#lens = lens;
      this.#any.hidden = state.lens === "";
      this.#grid.show(picture, theme);
      drawChosen(this.#details, lens, tokens.at(-1)!.text, state.lens);
    });
  }
}

function probabilityOf(cell: readonly LensToken[], chosen: string): number {
  if (chosen === "") return cell[0]!.probability;
  return cell.find(({ text }) => text === chosen)?.probability ?? 0;
}

function rowName(row: number): string {
  return row === 0 ? "embedding" : `layer ${row - 1}`;
}

function pictureOf(lens: Lens, tokens: readonly string[], chosen: string): GridPicture {
  const cells = lens.cells.map((cell, place): GridCell => {
    const [row, position] = [Math.floor(place / lens.positions), place % lens.positions];
    const best = cell.slice(0, 5)
      .map(({ text, probability }) => `${labelText(text)} ${share(probability)}`).join(", ");
    return {
      value: probabilityOf(cell, chosen),
      text: cell[0]!.text,
      says: `After ${rowName(row)}, at ${labelText(tokens[position]!)}\n${best}`,
    };
  });
  return {
    rows: Array.from({ length: lens.rows }, (_, row) => rowName(row)),
    columns: tokens.map((text) => ({ text })),
    cells,
    shade: { top: 1, curve: "sqrt" },
    ends: ["0%", chosen ? `probability of ${labelText(chosen)}` : "of the likeliest", "100%"],
    title: "What every position would predict after each layer",
  };
}

/** The chosen token, or the likeliest at the end, at the last position of each layer. */
function drawChosen(element: HTMLElement, lens: Lens, last: string, chosen: string): void {
  const token = chosen || lens.cells.at(-1)![0]!.text;
  const rows = Array.from({ length: lens.rows }, (_, row) => {
    const cell = lens.cells[(row + 1) * lens.positions - 1]!;
    return html(
      "tr",
      {},
      html("th", { scope: "row" }, rowName(row)),
      html("td", {}, tokenOf(cell[0]!.text)),
      html("td", { class: "number" }, share(probabilityOf(cell, token))),
    );
  });
  const column = (...text: (string | Node)[]): HTMLElement => html("th", { scope: "col" }, ...text);
  element.replaceChildren(html(
    "table",
    {},
    html("caption", {}, "After ", tokenOf(last)),
    html("thead", {}, html("tr", {}, column("After"), column("Likeliest"), column(tokenOf(token)))),
    html("tbody", {}, ...rows),
  ));
}

function exhibitOf(known: Asked, lens: Lens, picture: GridPicture): Exhibit {
  const { state: { prompt, model, lens: chosen }, reading: { tokens } } = known;
  return {
    known,
    heading: {
      name: "Lens",
      note: chosen
        ? `colour: probability of ${labelText(chosen)}`
        : "the likeliest after each layer",
    },
    call: lensCall(prompt, model),
    python: ".to_pandas()",
    drawing: (theme, width) => drawGrid(picture, theme, width),
    table: () => ({
      columns: ["layer", "position", "position_token", "rank", "token", "probability"],
      *rows() {
        for (const [place, cell] of lens.cells.entries()) {
          const [row, position] = [Math.floor(place / lens.positions), place % lens.positions];
          for (const [rank, { text, probability }] of cell.entries()) {
            yield [row, position, tokens[position]!.text, rank, text, probability];
          }
        }
      },
    }),
  };
}
