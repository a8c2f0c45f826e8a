import { html } from "../../draw/elements.ts";
import { coloursOf as coloursOfWeight, scaleOf, type Shade } from "../../draw/shade.ts";
import { labelText } from "../../draw/token_label.ts";
import { matrixExhibit } from "../../exhibits/matrix_exhibit.ts";
import { FLOW_METHODS } from "../../../src/requests/flow_methods.ts";
import { coloursOf, type PageState } from "../../page_state.ts";
import {
  type Forecast,
  forecastOf,
  headsOff,
  type Prediction,
  toggled,
} from "../../server/forecast.ts";
import { type Matrix, panelsOf } from "../../server/matrix.ts";
import { matricesOf } from "../../server/matrix_question.ts";
import { ForecastPanel } from "../../widgets/forecast.ts";
import { MatrixBoard } from "../../widgets/matrix_board.ts";
import { Panels } from "../../widgets/panels.ts";
import { Segments } from "../../widgets/segments.ts";
import { TokenPair } from "../../widgets/token_pair.ts";
import { attentionCall, flowCall } from "../flow_call.ts";
import { headPanels } from "../heads/panels.ts";
import { SMALL } from "../heads/view.ts";
import type { Heading } from "../../exhibits/known.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import { effectsOf, partsOf } from "./effects.ts";

/** The flow with heads ablated, or how it differs from the plain flow; a grid of heads to ablate. */
export class WhatIfView implements View {
  readonly slots: Slots;
  readonly #board: MatrixBoard;
  readonly #forecast = new ForecastPanel();
  readonly #panels: Panels;
  readonly #show: Segments<"result" | "change">;
  readonly #tint: Segments<PageState["tint"]>;
  readonly #tokens: TokenPair;
  readonly #tintSays = html("p", { class: "note", id: "tint-says" });
  readonly #note = html("p", { class: "note", id: "what-if-note", role: "status" });
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
    this.#tint = new Segments(
      "Tint heads by",
      { effect: "What the ablation does", direct: "What it writes", none: "No tint" },
      (tint) => tools.change({ tint }, "replace"),
    );
    this.#tokens = new TokenPair(tools);
    const allOn = html("button", { type: "button", id: "all-on" }, "All heads on");
    allOn.addEventListener("click", () => tools.change({ off: "" }));
    this.slots = {
      stage: [this.#note, board.heatmap, board.hint],
      side: [this.#forecast.element, board.direction, board.details],
      strip: [
        html("h2", { id: "panels-title" }, "Heads: click to switch off and on"),
        html("div", { class: "what-if" }, this.#show.element, allOn),
        html("div", { class: "what-if" }, this.#tint.element, this.#tokens.element),
        this.#tintSays,
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
    keep(forecastOf(state, state.off));
    const [[shown], all] = [panelsOf(await large), await small];
    const matrix = { ...shown!, isChange };
    const shadeOf = scaleOf(coloursOf(state), all);
    const shade = shadeOfChange(scaleOf(coloursOf(state))(matrix), matrix);
    const heading = headingOf(state);
    const grid = headPanels(all, model.heads, shadeOf);
    const keys = new Set(state.off.split(","));
    present(matrixExhibit({ known: asked, heading, call, matrix, shade }), () => {
      this.#off = state.off;
      this.#forecast.clearFor(asked, state.off);
      this.#show.show(state.show);
      this.#tint.show(state.tint);
      this.#note.textContent = "";
      this.#board.show({ known: asked, matrix, shade, title: `${heading.name}, ${heading.note}` });
      this.#panels.show({
        panels: grid.map((panel) => ({ ...panel, isOff: keys.has(panel.key) })),
        columns: model.heads,
        ramp: theme.ramp,
        chosen: "",
      });
    });
  }

  async afterwards(asked: Asked): Promise<void> {
    const { state, ask, isNewest } = asked;
    await this.#forecast.show(asked, state.off);
    const forecast = await ask(forecastOf(state, state.off));
    if (!isNewest()) return;
    await this.#showNote(asked, forecast);
    await this.#showTint(asked, forecast.whole);
  }

  /** Says that the prediction changes where the flow does not. */
  async #showNote(
    { state, ask, isNewest }: Asked,
    { whole, without }: Forecast,
  ): Promise<void> {
    const off = headsOff(state.off);
    if (off.length === 0 || !without) return;
    const [matrix] = panelsOf(
      await ask(matricesOf(flowCall(state, { ablate: off, difference: true }))),
    );
    if (!isNewest() || !isFlat(matrix!)) return;
    const after = new Map(without.map(({ text, probability }) => [text, probability]));
    const largest = Math.max(
      ...whole.map(({ text, probability }) => Math.abs((after.get(text) ?? 0) - probability)),
    );
    this.#note.textContent = largest > 0.005
      ? "The flow does not change, but the prediction does: no later head’s attention depends on these heads."
      : "Neither the flow nor the prediction changes.";
  }

  async #showTint(asked: Asked, next: readonly Prediction[]): Promise<void> {
    const { state, reading: { model: { heads }, tokens }, theme, ask, isNewest } = asked;
    const { prompt, model, tint } = state;
    const answer = state.answer || next[0]!.text;
    const others = [...namesIn(tokens), ...next.map(({ text }) => text)];
    const against = state.wrong || others.find((text) => text !== answer)!;
    this.#tokens.show({ answer, wrong: against, answers: next, wrongs: next });
    if (tint === "none") {
      this.#tintSays.textContent = "";
      return this.#panels.tint(new Map());
    }
    const args = { prompt, model, answer, against };
    const numbers = await ask(tint === "effect" ? effectsOf(args) : partsOf(args));
    if (!isNewest()) return;
    const top = Math.max(...numbers.map(Math.abs)) || 1;
    const shade = { top, curve: "linear", diverges: true } as const;
    const difference = `${labelText(answer)} against ${labelText(against)}`;
    this.#tintSays.textContent = tint === "effect"
      ? `Tint: what switching that head off alone does to the logit of ${difference}; teal takes it away, up to ${
        top.toFixed(1)
      }.`
      : `Tint: what that head writes of the logit of ${difference} by itself, straight into the end; up to ${
        top.toFixed(1)
      }.`;
    this.#panels.tint(
      new Map(numbers.map((value, index) => [`${Math.floor(index / heads)}.${index % heads}`, {
        colour: coloursOfWeight(value, shade, theme.changeRamp).back,
        says: `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)} for ${difference}`,
      }])),
    );
  }
}

/** Names that the prompt has: what a name that comes next is told apart from. */
function namesIn(tokens: readonly { readonly text: string }[]): string[] {
  return tokens.map(({ text }) => text).filter((text) => /^ \p{Lu}\p{Ll}+$/u.test(text));
}

/** Nothing that could be seen. */
const NOTHING = 1e-4;

function isFlat({ values }: Matrix): boolean {
  return values.every((value) => Math.abs(value) < NOTHING);
}

/** The scale of a change ends at 1 % at least: so that tiny changes look tiny. */
function shadeOfChange(shade: Shade, matrix: Matrix): Shade {
  if (!matrix.isChange) return shade;
  return { ...shade, top: isFlat(matrix) ? 0.01 : Math.max(0.01, shade.top) };
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
