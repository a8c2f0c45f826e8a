import { html } from "../../draw/elements.ts";
import { rampFor } from "../../draw/theme.ts";
import { scaleOf } from "../../draw/shade.ts";
import { matrixExhibit } from "../../exhibits/matrix_exhibit.ts";
import { coloursOf, withoutBos } from "../../page_state.ts";
import { forecastOf } from "../../server/forecast.ts";
import { panelsOf } from "../../server/matrix.ts";
import { matricesOf } from "../../server/matrix_question.ts";
import { ForecastPanel } from "../../widgets/forecast.ts";
import { type BoardPicture, MatrixBoard } from "../../widgets/matrix_board.ts";
import { type Panel, Panels } from "../../widgets/panels.ts";
import { attentionCall } from "../flow_call.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import { chosenCall, chosenHeads, headingOf, keysOf } from "./chosen.ts";
import { bestOf, headPanels, sorted } from "./panels.ts";
import { scoresOf } from "./scores.ts";

/** The most rows and columns of a head's small picture. */
export const SMALL = 48;

/** The attention pattern of every head small, and of one large. */
export class HeadsView implements View {
  readonly slots: Slots;
  readonly #board: MatrixBoard;
  readonly #forecast = new ForecastPanel();
  readonly #panels: Panels;
  readonly #title = html("h2", { id: "panels-title" });
  readonly #tools: Tools;
  #from = { layer: 0, head: 0 };
  #small: ReadonlyMap<string, Panel> = new Map();
  #shown: BoardPicture | undefined;
  #previewed: string | undefined;

  constructor(tools: Tools) {
    this.#tools = tools;
    const board = this.#board = new MatrixBoard(tools);
    const panels = html("div", {
      class: "panels",
      id: "panels",
      role: "group",
      "aria-labelledby": "panels-title",
    });
    this.#panels = new Panels(
      panels,
      (key, isTogether) => {
        const [layer, head] = key.split(".").map(Number);
        tools.change(
          isTogether
            ? { layer: this.#from.layer, head: this.#from.head, toLayer: layer, toHead: head }
            : { layer, head, toLayer: undefined, toHead: undefined },
        );
      },
      (key) => this.#preview(key),
    );
    this.slots = {
      stage: [board.heatmap, board.hint, board.text],
      side: [board.direction, board.details, this.#forecast.element],
      strip: [this.#title, panels],
    };
  }

  says(): string {
    return "";
  }

  async show(asked: Asked): Promise<void> {
    const { state, reading: { model }, spans, theme, ask, keep, present } = asked;
    const { sort, prompt } = state;
    const small = ask(matricesOf(attentionCall(state, { cells: SMALL }), spans.length));
    const scores = sort === "place"
      ? undefined
      : ask(scoresOf(prompt, state.model, withoutBos(state)));
    keep(forecastOf(state));
    // Where heads are sorted and none is chosen, the one that does most is shown.
    const isOpen = state.layer === undefined && state.head === undefined;
    const best = scores && isOpen && sort !== "place" ? bestOf(await scores, sort) : undefined;
    const chosen = chosenHeads(state, model, best);
    const call = chosenCall(state, chosen);
    const [[matrix], all, known] = [
      panelsOf(await ask(matricesOf(call))),
      await small,
      await scores,
    ];
    const shadeOf = scaleOf(coloursOf(state), all);
    const shade = shadeOf(matrix!);
    const heading = headingOf(state, chosen);
    const panels = headPanels(all, model.heads, shadeOf);
    present(matrixExhibit({ known: asked, heading, call, matrix: matrix!, shade }), () => {
      this.#from = { layer: chosen.layers[0]!, head: chosen.heads[0]! };
      this.#small = new Map(panels.map((panel) => [panel.key, panel]));
      this.#shown = { known: asked, matrix: matrix!, shade, title: heading.name };
      this.#forecast.clearFor(asked);
      this.#board.show(this.#shown);
      this.#title.textContent = known
        ? "Every head: those that do most of it first"
        : "Every head: layers down, heads across";
      this.#panels.show({
        panels: known && sort !== "place" ? sorted(panels, known, sort) : panels,
        ...known ? {} : { columns: model.heads },
        ramp: rampFor(theme, shade),
        chosen: keysOf(chosen),
      });
    });
  }

  /** Shows a head large for as long as it is pointed at; a click keeps it. */
  #preview(key: string | undefined): void {
    const shown = this.#shown;
    const small = this.#small.get(key ?? "");
    if (!shown || key === this.#previewed) return;
    this.#previewed = key;
    if (!small) {
      this.#tools.preview();
      return this.#board.show(shown);
    }
    this.#tools.preview({
      name: small.name,
      note: "preview: click to keep it, shift and click for all between",
    });
    this.#board.preview({
      known: shown.known,
      matrix: { ...shown.matrix, ...small.matrix },
      shade: small.shade,
      title: small.name,
    });
  }

  afterwards(asked: Asked): Promise<void> {
    return this.#forecast.show(asked);
  }
}
