import { html } from "../../draw/elements.ts";
import { scaleOf } from "../../draw/shade.ts";
import { matrixExhibit } from "../../exhibits/matrix_exhibit.ts";
import { FLOW_METHODS } from "../../../src/requests/flow_methods.ts";
import { coloursOf, type PageState } from "../../page_state.ts";
import { forecastOf, headsOff, toggled } from "../../server/forecast.ts";
import { panelsOf } from "../../server/matrix.ts";
import { matricesOf } from "../../server/matrix_question.ts";
import { ForecastPanel } from "../../widgets/forecast.ts";
import { MatrixBoard } from "../../widgets/matrix_board.ts";
import { Panels } from "../../widgets/panels.ts";
import { Segments } from "../../widgets/segments.ts";
import { attentionCall, flowCall } from "../flow_call.ts";
import { headPanels } from "../heads/panels.ts";
import { SMALL } from "../heads/view.ts";
import type { Asked, Heading, Slots, Tools, View } from "../view.ts";

/** The flow with heads switched off, or what that changes; a grid of heads to switch. */
export class WhatIfView implements View {
  readonly slots: Slots;
  readonly #board: MatrixBoard;
  readonly #forecast = new ForecastPanel();
  readonly #panels: Panels;
  readonly #show: Segments<"result" | "change">;
  #off = "";

  constructor(tools: Tools) {
    const board = this.#board = new MatrixBoard(tools);
    const panels = html("div", {
      class: "panels",
      id: "panels",
      role: "group",
      "aria-labelledby": "panels-title",
    });
    this.#panels = new Panels(panels, (key) => tools.change({ off: toggled(this.#off, key) }));
    this.#show = new Segments(
      "Show",
      { result: "Without them", change: "What changes" },
      (show) => tools.change({ show }, "replace"),
    );
    const allOn = html("button", { type: "button", id: "all-on" }, "All heads on");
    allOn.addEventListener("click", () => tools.change({ off: "" }));
    this.slots = {
      stage: [board.heatmap, board.hint],
      side: [this.#forecast.element, board.direction, board.details],
      strip: [
        html("h2", { id: "panels-title" }, "Heads: click to switch off and on"),
        html("div", { class: "what-if" }, this.#show.element, allOn),
        panels,
      ],
    };
  }

  says({ method }: PageState): string {
    return FLOW_METHODS[method].says;
  }

  async show(asked: Asked): Promise<void> {
    const { state, reading: { model }, spans, theme, ask, keep, present } = asked;
    const off = headsOff(state.off);
    const isChange = state.show === "change" && off.length > 0;
    const call = flowCall(state, {
      ablate: off.length > 0 ? off : undefined,
      difference: isChange || undefined,
    });
    const large = ask(matricesOf(call));
    const small = ask(matricesOf(attentionCall(state, { cells: SMALL }), spans.length));
    keep(forecastOf(state.prompt, state.model, state.off));
    const [[shown], all] = [panelsOf(await large), await small];
    const matrix = { ...shown!, isChange };
    const shadeOf = scaleOf(coloursOf(state), all);
    const shade = scaleOf(coloursOf(state))(matrix);
    const heading = headingOf(state);
    const grid = headPanels(all, model.heads, shadeOf);
    const keys = new Set(state.off.split(","));
    present(matrixExhibit({ known: asked, heading, call, matrix, shade }), () => {
      this.#off = state.off;
      this.#forecast.clearFor(asked, state.off);
      this.#show.show(state.show);
      this.#board.show({ known: asked, matrix, shade, title: `${heading.name}, ${heading.note}` });
      this.#panels.show({
        panels: grid.map((panel) => ({ ...panel, isOff: keys.has(panel.key) })),
        columns: model.heads,
        ramp: theme.ramp,
        chosen: "",
      });
    });
  }

  afterwards(asked: Asked): Promise<void> {
    return this.#forecast.show(asked, asked.state.off);
  }
}

function headingOf({ off, show }: PageState): Heading {
  const count = headsOff(off).length;
  if (count === 0) {
    return { name: "All heads on", note: "click heads in the grid to switch them off" };
  }
  return {
    name: count === 1 ? `Head ${off} off` : `${count} heads off: ${off.replaceAll(",", ", ")}`,
    note: show === "change" ? "what changes" : "all layers as one",
  };
}
