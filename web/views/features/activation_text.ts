import { html } from "../../draw/elements.ts";
import { coloursOf } from "../../draw/shade.ts";
import { rampFor, type Theme } from "../../draw/theme.ts";
import type { TokenSpan } from "../../server/reading.ts";
import { light, markCurrent, TokenText } from "../../widgets/token_text.ts";

/** A feature over a text. */
export interface FeatureText {
  readonly prompt: string;
  readonly spans: readonly TokenSpan[];
  /** Its activations by token. */
  readonly activations: ReadonlyMap<number, number>;
  /** The largest there is anywhere, or here. */
  readonly top: number;
  readonly token: number;
  readonly theme: Theme;
}

/** The prompt as text, each token coloured by how much a feature is on there; a token can be chosen. */
export class ActivationText {
  readonly element = html("div", {
    class: "text",
    id: "feature-text",
    role: "group",
    "aria-label": "The feature’s activations over the text",
  });
  readonly #text: TokenText;

  constructor(choose: (token: number) => void) {
    this.#text = new TokenText(this.element, { point: () => {}, choose });
  }

  show({ prompt, spans, activations, top, token, theme }: FeatureText): void {
    this.#text.show(prompt, spans);
    const shade = { top, curve: "sqrt" } as const;
    const ramp = rampFor(theme, shade);
    this.#text.tokens.forEach((element, index) => {
      const value = activations.get(index) ?? 0;
      const lit = value > 0
        ? { ...coloursOf(value, shade, ramp), says: value.toFixed(1) }
        : undefined;
      light(element, lit);
      markCurrent(element, index === token);
    });
    this.#text.reach(token);
  }
}
