import type { Patch } from "../../calls/call.ts";
import { html } from "../../draw/elements.ts";
import { drawGrid, type GridCell, type GridPicture } from "../../draw/grid_svg.ts";
import { scaleOf } from "../../draw/shade.ts";
import { labelText } from "../../draw/token_label.ts";
import type { Exhibit } from "../../exhibits/exhibit.ts";
import { bosOf, coloursOf, type PageState } from "../../page_state.ts";
import { Failure } from "../../server/failure.ts";
import { panelsOf } from "../../server/matrix.ts";
import { matricesOf } from "../../server/matrix_question.ts";
import { tokensOf } from "../../server/reading.ts";
import { hasHeads } from "../../../src/requests/interventions/sites.ts";
import { drawForecast } from "../../widgets/forecast_table.ts";
import { GridBoard } from "../../widgets/grid_board.ts";
import { MatrixBoard } from "../../widgets/matrix_board.ts";
import { flowCall } from "../flow_call.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import { corruptedOf } from "./corrupted.ts";
import { PairForm } from "./pair_form.ts";
import {
  gridOf,
  type Pair,
  pairOf,
  patchedOf,
  type PatchingArguments,
  patchingCall,
  type PatchingGrid,
} from "./question.ts";

/** A grid of what values of one prompt do in the run of another, and the flow with one of them in its place. */
export class PatchingView implements View {
  readonly slots: Slots;
  readonly #form: PairForm;
  readonly #grid: GridBoard;
  readonly #board: MatrixBoard;
  readonly #message = html("p", { class: "note", role: "status" });
  readonly #flowTitle = html("h3", { id: "patched-flow" });
  readonly #forecast = html("div", { id: "forecast" });
  readonly #summary = html("p", { class: "note" });
  #width = 1;

  constructor(tools: Tools) {
    this.#form = new PairForm(tools);
    this.#board = new MatrixBoard(tools);
    this.#grid = new GridBoard(tools, (place) => {
      const patch = `${Math.floor(place / this.#width)}.${place % this.#width}`;
      tools.change({ patch });
    });
    this.slots = {
      stage: [
        this.#form.element,
        this.#message,
        this.#grid.element,
        this.#flowTitle,
        this.#board.heatmap,
        this.#board.hint,
      ],
      side: [this.#summary, this.#forecast, this.#board.direction, this.#board.details],
    };
  }

  says({ way }: PageState): string {
    return way === "DENOISE"
      ? "The corrupted prompt is run with one value of the clean prompt’s run: 1 where that brings the whole answer " +
        "back, 0 where it does nothing. Enough to bring it back is not all that it takes: try the other direction."
      : "The clean prompt is run with one value of the corrupted prompt’s run: 0 where that takes the whole answer " +
        "away, 1 where it does nothing. What can be done by another way is not missed here.";
  }

  async show(asked: Asked): Promise<void> {
    const { state, ask, present, theme } = asked;
    const { prompt: clean, model } = state;
    const corrupted = state.corrupted || corruptedOf(clean);
    const pairQuestion = ask(pairOf({ clean, corrupted, model }));
    let grid: PatchingGrid | undefined;
    let message = "";
    let pair: Pair = { clean: [], corrupted: [] };
    let args = argumentsOf(state, corrupted, pair);
    try {
      if (args.answer && args.against) ask(gridOf(args));
      pair = await pairQuestion;
      args = argumentsOf(state, corrupted, pair);
      if (corrupted === clean) {
        message = "Write another prompt with as many tokens and another right answer.";
      } else grid = await ask(gridOf(args));
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== "refused") throw error;
      message = error.message;
    }
    const picture = pictureOf(grid, args, state);
    present(exhibitOf(asked, args, picture), () => {
      this.#width = Math.max(1, picture.columns.length);
      this.#form.show({
        corrupted,
        answer: args.answer,
        wrong: args.against,
        answers: [...pair.clean, ...pair.corrupted],
        wrongs: [...pair.corrupted, ...pair.clean],
      });
      this.#message.textContent = message;
      this.#summary.textContent = grid ? summaryOf(grid, args) : "";
      this.#grid.element.hidden = picture.cells.length === 0;
      this.#grid.show(picture, theme);
      this.#clearPatch(
        picture.cells.length > 0 ? "Choose a cell to apply its patch and see its flow." : "",
      );
    });
  }

  async afterwards(asked: Asked): Promise<void> {
    const { state, ask, isNewest } = asked;
    const { model } = state;
    const change = patchOf(asked);
    if (!change) return;
    const prompt = baseOf(state);
    const call = flowCall({ ...state, prompt }, { interventions: [change] });
    const [matrices, next, spans] = await Promise.all([
      ask(matricesOf(call)),
      ask(patchedOf({ prompt, model, changes: [change] })),
      ask(tokensOf(prompt, model)),
    ]);
    if (!isNewest()) return;
    const [matrix] = panelsOf(matrices);
    const shade = scaleOf(coloursOf(state))(matrix!);
    const title = `The flow with this patch: ${sentenceOf(change)}`;
    const known = {
      ...asked,
      state: { ...state, prompt },
      spans: bosOf(state) === "DROP" ? spans.slice(1) : spans,
    };
    this.#flowTitle.textContent = title;
    this.#board.heatmap.hidden = false;
    this.#board.hint.hidden = false;
    this.#board.direction.hidden = false;
    this.#board.show({ known, matrix: matrix!, shade, title });
    drawForecast(this.#forecast, next, ["As it is", "Patched"]);
  }

  #clearPatch(text: string): void {
    this.#flowTitle.textContent = text;
    this.#board.heatmap.hidden = true;
    this.#board.hint.hidden = true;
    this.#board.direction.hidden = true;
    this.#board.details.replaceChildren();
    this.#forecast.replaceChildren();
  }
}

/** The prompt that is run. */
function baseOf({ prompt, corrupted, way }: PageState): string {
  return way === "DENOISE" ? corrupted || corruptedOf(prompt) : prompt;
}

/** The patch that was chosen, if one was that this grid has. */
function patchOf({ state, reading: { model, tokens } }: Asked): Patch | undefined {
  const { patch, prompt, corrupted, way, site } = state;
  if (!patch) return undefined;
  const [layer = 0, index = 0] = patch.split(".").map(Number);
  if (layer >= model.layers || index >= (isByHead(state) ? model.heads : tokens.length)) {
    return undefined;
  }
  const from = way === "DENOISE" ? prompt : corrupted || corruptedOf(prompt);
  const where = isByHead(state) ? { heads: [index] } : { positions: [index] };
  return { site, layer, ...where, action: "REPLACE", from };
}

function sentenceOf({ site, layer, heads, positions }: Patch): string {
  const where = heads ? `head ${heads[0]}` : `position ${positions![0]}`;
  return `${site} of layer ${layer}, ${where}`;
}

function isByHead({ cells, site }: Pick<PageState, "cells" | "site">): boolean {
  return cells === "head" && hasHeads(site);
}

function argumentsOf(state: PageState, corrupted: string, pair: Pair): PatchingArguments {
  const { prompt: clean, model, site, way: direction, metric } = state;
  const answer = state.answer || (pair.clean[0]?.text ?? "");
  const others = [...pair.corrupted, ...pair.clean].map(({ text }) => text);
  const against = state.wrong || (others.find((text) => text !== answer) ?? "");
  const by = isByHead(state) ? "LAYER_HEAD" : "LAYER_POSITION";
  return { clean, corrupted, model, answer, against, site, by, direction, metric };
}

function summaryOf({ clean, corrupted }: PatchingGrid, { metric }: PatchingArguments): string {
  const name = metric.toLowerCase().replace("_", " ");
  return `The ${name} is ${clean.toFixed(2)} after the clean prompt and ${
    corrupted.toFixed(2)
  } after the corrupted one: these are 1 and 0.`;
}

function pictureOf(
  grid: PatchingGrid | undefined,
  { by, answer, against }: PatchingArguments,
  { patch }: PageState,
): GridPicture {
  const byHead = by === "LAYER_HEAD";
  const [layers, width] = (grid?.shape ?? [0, 0]) as [number, number];
  const columns = Array.from({ length: width }, (_, index) => {
    if (byHead) return { text: String(index) };
    const [text, other] = [grid!.tokens[index]!, grid!.corruptedTokens[index]!];
    return { text, other: other === text ? undefined : other };
  });
  const cells = Array.from(grid?.values ?? [], (value, place): GridCell => {
    const [layer, index] = [Math.floor(place / width), place % width];
    const { text, other } = columns[index]!;
    const where = byHead
      ? `head ${index}`
      : `position ${index}, ${labelText(text)}${other ? ` for ${labelText(other)}` : ""}`;
    return {
      value,
      text: value.toFixed(2).replace("-0.00", "0.00"),
      says: `Layer ${layer}, ${where}: ${
        value.toFixed(3)
      }\n0 is the corrupted prompt’s answer, 1 the clean one’s`,
    };
  });
  const [layer = 0, index = 0] = patch.split(".").map(Number);
  return {
    rows: Array.from({ length: layers }, (_, row) => `layer ${row}`),
    columns,
    cells,
    shade: { top: 1, curve: "linear", diverges: true },
    ends: ["−1", "0: corrupted", "1: clean"],
    title: `Patches: ${labelText(answer)} against ${labelText(against)}`,
    chosen: patch && index < width ? layer * width + index : undefined,
  };
}

function exhibitOf(known: Asked, args: PatchingArguments, picture: GridPicture): Exhibit {
  const { site, by } = args;
  const along = by === "LAYER_HEAD" ? "head" : "position";
  return {
    known,
    heading: {
      name: "Patching",
      note: `${labelText(args.answer)} against ${labelText(args.against)}, ${site}`,
    },
    call: patchingCall(args),
    python: ".values",
    drawing: (theme, width) => drawGrid(picture, theme, width),
    table: () => ({
      columns: ["layer", along, "token", "value"],
      *rows() {
        const width = picture.columns.length;
        for (const [place, { value }] of picture.cells.entries()) {
          const index = place % width;
          yield [Math.floor(place / width), index, picture.columns[index]!.text, value];
        }
      },
    }),
  };
}
