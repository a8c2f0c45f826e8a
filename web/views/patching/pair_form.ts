import { html } from "../../draw/elements.ts";
import { type PairOfTokens, TokenPair } from "../../widgets/token_pair.ts";
import type { Tools } from "../view.ts";

/** The other prompt, and the two tokens that are told apart. */
export class PairForm {
  readonly element: HTMLElement;
  readonly #corrupted = html("input", {
    id: "corrupted",
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
  });
  readonly #tokens: TokenPair;

  constructor(tools: Tools) {
    // A patch of another pair is another patch.
    this.#corrupted.addEventListener("change", () => {
      tools.change({ corrupted: this.#corrupted.value, patch: "" });
    });
    this.#tokens = new TokenPair(tools);
    this.element = html(
      "div",
      { class: "pair" },
      html("label", {}, "Corrupted prompt, as many tokens ", this.#corrupted),
      this.#tokens.element,
    );
  }

  /** Shows a pair; what is being typed stays. */
  show({ corrupted, ...tokens }: PairOfTokens & { readonly corrupted: string }): void {
    if (document.activeElement !== this.#corrupted) this.#corrupted.value = corrupted;
    this.#tokens.show(tokens);
  }
}
