import { html } from "../../draw/elements.ts";
import { rampFor } from "../../draw/theme.ts";
import { scaleOf } from "../../draw/shade.ts";
import { matrixExhibit } from "../../exhibits/matrix_exhibit.ts";
import { coloursOf } from "../../page_state.ts";
import { forecastOf } from "../../server/forecast.ts";
import { panelsOf } from "../../server/matrix.ts";
import { matricesOf } from "../../server/matrix_question.ts";
import { ForecastPanel } from "../../widgets/forecast.ts";
import { MatrixBoard } from "../../widgets/matrix_board.ts";
import { Panels } from "../../widgets/panels.ts";
import { attentionCall } from "../flow_call.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import { headPanels, sorted } from "./panels.ts";
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

  constructor(tools: Tools) {
    const board = this.#board = new MatrixBoard(tools);
    const panels = html("div", {
      class: "panels",
      id: "panels",
      role: "group",
      "aria-labelledby": "panels-title",
    });
    this.#panels = new Panels(panels, (key) => {
      const [layer, head] = key.split(".").map(Number);
      tools.change({ layer, head });
    });
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
    const { layer = 0, head = 0, sort, prompt } = state;
    const call = attentionCall(state, { layers: [layer], heads: [head] });
    const large = ask(matricesOf(call));
    const small = ask(matricesOf(attentionCall(state, { cells: SMALL }), spans.length));
    const scores = sort === "place" ? undefined : ask(scoresOf(prompt, state.model));
    keep(forecastOf(prompt, state.model));
    const [[matrix], all, known] = [panelsOf(await large), await small, await scores];
    const shadeOf = scaleOf(coloursOf(state), all);
    const shade = shadeOf(matrix!);
    const heading = { name: `Layer ${layer}, head ${head}`, note: "attention pattern" };
    const panels = headPanels(all, model.heads, shadeOf);
    present(matrixExhibit({ known: asked, heading, call, matrix: matrix!, shade }), () => {
      this.#forecast.clearFor(asked);
      this.#board.show({ known: asked, matrix: matrix!, shade, title: heading.name });
      this.#title.textContent = known
        ? "Every head: those that do most of it first"
        : "Every head: layers down, heads across";
      this.#panels.show({
        panels: known && sort !== "place" ? sorted(panels, known, sort) : panels,
        ...known ? {} : { columns: model.heads },
        ramp: rampFor(theme, shade),
        chosen: `${layer}.${head}`,
      });
    });
  }

  afterwards(asked: Asked): Promise<void> {
    return this.#forecast.show(asked);
  }
}
