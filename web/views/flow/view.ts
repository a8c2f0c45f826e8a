import { html } from "../../draw/elements.ts";
import { rampFor } from "../../draw/theme.ts";
import { scaleOf } from "../../draw/shade.ts";
import { matrixExhibit } from "../../exhibits/matrix_exhibit.ts";
import { textExhibit } from "../../exhibits/text_exhibit.ts";
import { FLOW_METHODS } from "../../../src/requests/flow_methods.ts";
import { coloursOf, type PageState } from "../../page_state.ts";
import { panelsOf } from "../../server/matrix.ts";
import { matricesOf } from "../../server/matrix_question.ts";
import { forecastOf } from "../../server/forecast.ts";
import { ForecastPanel } from "../../widgets/forecast.ts";
import { chosenOf, MatrixBoard } from "../../widgets/matrix_board.ts";
import { Panels } from "../../widgets/panels.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import { shownCall, smallCalls } from "./call.ts";
import { headingOf } from "./heading.ts";
import { layerPanels } from "./panels.ts";

/** The flow of all layers as one or of one layer, large, as a heatmap or as text; each of them small. */
export class FlowView implements View {
  readonly slots: Slots;
  readonly #board: MatrixBoard;
  readonly #forecast = new ForecastPanel();
  readonly #panels: Panels;
  readonly #isText: boolean;

  constructor(tools: Tools, as: "heatmap" | "text") {
    this.#isText = as === "text";
    const board = this.#board = new MatrixBoard(tools);
    const title = html("h2", { id: "panels-title" }, "Layer by layer");
    const panels = html("div", {
      class: "panels",
      id: "panels",
      role: "group",
      "aria-labelledby": "panels-title",
    });
    this.#panels = new Panels(
      panels,
      (key) => tools.change({ layer: key === "all" ? undefined : Number(key) }),
    );
    this.slots = {
      stage: this.#isText ? [board.text, board.legend] : [board.heatmap, board.hint],
      side: [board.direction, board.details, this.#forecast.element],
      strip: [title, panels],
    };
  }

  says({ method }: PageState): string {
    return FLOW_METHODS[method].says;
  }

  async show(asked: Asked): Promise<void> {
    const { state, spans, theme, ask, keep, present } = asked;
    const call = shownCall(state);
    const [large, ...small] = [call, ...smallCalls(state, spans.length)].map((one) =>
      ask(matricesOf(one, spans.length))
    );
    keep(forecastOf(state));
    const [matrix, all] = [panelsOf(await large!)[0]!, await Promise.all(small)];
    // Both have one scale, so they are drawn together.
    const shadeOf = scaleOf(coloursOf(state), all.at(-1)!);
    const shade = shadeOf(matrix);
    const heading = headingOf(asked);
    const shown = { known: asked, heading, call, matrix, shade };
    const position = chosenOf(matrix, state);
    const exhibit = this.#isText
      ? textExhibit({ ...shown, position, direction: state.direction })
      : matrixExhibit(shown);
    present(exhibit, () => {
      this.#forecast.clearFor(asked);
      this.#board.show({ known: asked, matrix, shade, title: `${heading.name}, ${heading.note}` });
      this.#panels.show({
        panels: layerPanels(all, shadeOf),
        ramp: rampFor(theme, shade),
        chosen: String(state.layer ?? "all"),
      });
    });
  }

  afterwards(asked: Asked): Promise<void> {
    return this.#forecast.show(asked);
  }
}
