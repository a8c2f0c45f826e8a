import { html } from "../draw/elements.ts";
import { share } from "../draw/format.ts";
import { labelText } from "../draw/token_label.ts";
import type { Prediction } from "../server/forecast.ts";
import type { Tools } from "../views/view.ts";

/** Two tokens that are told apart, and what they may be. */
export interface PairOfTokens {
  readonly answer: string;
  readonly wrong: string;
  readonly answers: readonly Prediction[];
  readonly wrongs: readonly Prediction[];
}

/** Where the answer and the token that it is measured against are chosen, from what may come next. */
export class TokenPair {
  readonly element: HTMLElement;
  readonly #answer = html("select", { id: "answer" });
  readonly #wrong = html("select", { id: "wrong" });

  constructor(tools: Tools) {
    this.#answer.addEventListener("change", () => tools.change({ answer: this.#answer.value }));
    this.#wrong.addEventListener("change", () => tools.change({ wrong: this.#wrong.value }));
    this.element = html(
      "div",
      { class: "token-pair" },
      html("label", {}, "Answer ", this.#answer),
      html("label", {}, "against ", this.#wrong),
    );
  }

  /** Shows a pair. */
  show({ answer, wrong, answers, wrongs }: PairOfTokens): void {
    fill(this.#answer, answer, answers);
    fill(this.#wrong, wrong, wrongs);
  }
}

function fill(select: HTMLSelectElement, chosen: string, tokens: readonly Prediction[]): void {
  const known = new Map(tokens.toReversed().map(({ text, probability }) => [text, probability]));
  const texts = [...new Set([chosen, ...tokens.map(({ text }) => text)])].filter(Boolean);
  select.replaceChildren(
    ...texts.map((text) => {
      const probability = known.get(text);
      const said = probability === undefined ? "" : ` ${share(probability)}`;
      return html("option", { value: text }, labelText(text) + said);
    }),
  );
  select.value = chosen;
}
