import { FLOW_METHODS, type Method } from "../../../src/requests/flow_methods.ts";
import { html } from "../../draw/elements.ts";
import { change } from "../../draw/format.ts";
import { scaleOf } from "../../draw/shade.ts";
import { labelText } from "../../draw/token_label.ts";
import { coloursOf } from "../../page_state.ts";
import { type Matrix, panelsOf } from "../../server/matrix.ts";
import { matricesOf } from "../../server/matrix_question.ts";
import { MatrixBoard } from "../../widgets/matrix_board.ts";
import { flowCall } from "../flow_call.ts";
import type { Asked, Tools } from "../view.ts";
import { type AboutFeature, scaled } from "./question.ts";

/** A change of a share that could be seen. */
const LEAST = 1e-4;
/** Tiny changes look tiny. */
const LEAST_TOP = 0.01;

/** How the flow between tokens changes with a feature's activation multiplied. */
export class FlowChange {
  readonly #title = html("h3", {});
  readonly #note = html("p", { class: "note", id: "flow-change-note" });
  readonly #board: MatrixBoard;
  readonly element: HTMLElement;
  /** The chosen token's strongest changes. */
  readonly details: HTMLElement;

  constructor(tools: Tools) {
    const board = this.#board = new MatrixBoard(tools);
    this.details = board.details;
    this.details.id = "flow-change-details";
    const picture = html("div", { class: "flow-change" }, board.heatmap, board.hint);
    this.element = html("div", { hidden: "" }, this.#title, this.#note, picture);
  }

  /** Takes away what was shown of another change. */
  clear(): void {
    this.element.hidden = true;
    this.details.replaceChildren();
  }

  /**
   * Asks how the flow changes, and draws it.
   *
   * @param what What was done to the feature, such as `feature 3 off`.
   */
  async show(asked: Asked, about: AboutFeature, what: string): Promise<void> {
    const { state, ask, isNewest } = asked;
    const interventions = scaled(about, Number(state.amount));
    const call = flowCall(state, { interventions, difference: true });
    const [flow] = panelsOf(await ask(matricesOf(call)));
    if (!isNewest()) return;
    const matrix = { ...flow!, isChange: true };
    const shade = scaleOf(coloursOf(state))(matrix);
    const title = `How the flow changes with ${what}`;
    this.#title.textContent = title;
    this.#note.textContent = noteOf(matrix, state.method);
    this.element.hidden = false;
    this.#board.heatmap.hidden = this.#board.hint.hidden = isFlat(matrix);
    if (isFlat(matrix)) return this.details.replaceChildren();
    const shown = { ...shade, top: Math.max(LEAST_TOP, shade.top) };
    this.#board.show({ known: asked, matrix, shade: shown, title });
  }
}

function noteOf(matrix: Matrix, method: Method): string {
  if (isFlat(matrix)) {
    return "It does not: no token takes 0.01 % more or less from another. What changes is what heads write, or what comes " +
      "after the last of them.";
  }
  const { values, positions, tokens } = matrix;
  let most = 0;
  values.forEach((value, at) => {
    if (Math.abs(value) > Math.abs(values[most]!)) most = at;
  });
  const [target, source] = [Math.floor(most / positions), most % positions];
  return `Most: ${labelText(tokens[target]!)} takes ${change(values[most]!)} from ${
    labelText(tokens[source]!)
  }. All layers, by ${FLOW_METHODS[method].name}.`;
}

function isFlat({ values }: Matrix): boolean {
  return values.every((value) => Math.abs(value) < LEAST);
}
