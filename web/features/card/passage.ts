import { html } from "../../draw/elements.ts";
import { currentTheme } from "../../draw/theme.ts";
import { activationOf } from "../../draw/format.ts";
import { labelText } from "../../draw/token_label.ts";
import { drawSources, signed } from "../../views/features/details.ts";
import { type FeatureFlow, flowTo, type Source } from "../../views/features/question.ts";
import type { Asker } from "../asker.ts";
import type { AboutFeature } from "../questions.ts";
import { type TextTools, WeightedText } from "./weighted_text.ts";

/** A text that a feature is seen in. */
export interface PassagePicture {
  readonly source: Source;
  /** BOS first. */
  readonly tokens: readonly string[];
  readonly activations: readonly number[];
  /** The token that it is about. */
  readonly position: number | undefined;
}

/** Dependencies of passages. */
export interface PassageTools extends Omit<TextTools, "choose"> {
  readonly asker: Asker;
  readonly about: AboutFeature;
  /** The feature's largest activation over the corpus: the end of the scale. */
  readonly max: number;
}

/** Tokens that are shown before and after the one that a passage is about. */
const BEFORE = 32;
const AFTER = 14;

/** A text with a feature's activation at each token, or with what each token fed it. */
export class Passage {
  readonly element: HTMLElement;
  readonly #text: WeightedText;
  readonly #tools: PassageTools;
  readonly #fed = html("button", { type: "button", "aria-pressed": "false" }, "What fed it");
  readonly #whole = html("button", { type: "button", "aria-pressed": "false" }, "Whole text");
  readonly #sources = html("div", { class: "sources" });
  #picture: PassagePicture | undefined;
  #isWhole = false;
  /** The token whose sources are shown. */
  #target: number | undefined;
  #flow: FeatureFlow | undefined;

  /** @param links Links that are shown before the buttons. */
  constructor(tools: PassageTools, ...links: readonly Node[]) {
    this.#tools = tools;
    this.#text = new WeightedText({ ...tools, choose: (position) => this.#feed(position) });
    this.#fed.addEventListener("click", () => {
      const isOff = this.#target === undefined;
      this.#feed(isOff ? this.#picture?.position : undefined);
    });
    this.#whole.addEventListener("click", () => {
      this.#isWhole = !this.#isWhole;
      this.#draw();
    });
    this.element = html(
      "div",
      { class: "passage" },
      this.#text.element,
      html("p", { class: "acts" }, ...links, this.#fed, this.#whole),
      this.#sources,
    );
  }

  /** Shows a text. */
  show(picture: PassagePicture): void {
    this.#picture = picture;
    this.#target = undefined;
    this.#flow = undefined;
    this.#draw();
  }

  /** Draws it again, as in other colours. */
  redraw(): void {
    this.#draw();
  }

  /** Shows what fed the feature at a token; without one, its activations. */
  async #feed(position: number | undefined): Promise<void> {
    const picture = this.#picture;
    if (!picture) return;
    this.#target = position;
    if (position === undefined) {
      this.#flow = undefined;
      return this.#draw();
    }
    const { asker, about: { model, sae, index } } = this.#tools;
    const question = flowTo(picture.source, { model, sae, feature: index, target: position });
    const flow = await asker.ask(question).catch(() => undefined);
    if (this.#target !== position || this.#picture !== picture) return;
    this.#flow = flow;
    this.#draw();
    drawSources(this.#sources, flow, { tokens: picture.tokens, target: position, feature: index });
  }

  #draw(): void {
    if (!this.#picture) return;
    const { tokens, activations, position } = this.#picture;
    const at = this.#target ?? position;
    const begin = tokens[0] !== undefined && labelText(tokens[0]) === "BOS" ? 1 : 0;
    const first = this.#isWhole || at === undefined ? begin : Math.max(begin, at - BEFORE);
    const end = this.#isWhole || at === undefined
      ? tokens.length
      : Math.min(tokens.length, at + AFTER);
    this.#whole.hidden = !this.#isWhole && first === begin && end === tokens.length;
    this.#whole.ariaPressed = String(this.#isWhole);
    const isFed = this.#flow !== undefined;
    this.#fed.ariaPressed = String(isFed);
    this.#fed.hidden = position === undefined;
    if (!isFed) this.#sources.replaceChildren();
    const named = (place: number): string => labelText(tokens[place]!);
    const fed = this.#flow && sumsOf(this.#flow, tokens.length);
    const top = fed
      ? fed.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1
      : this.#tools.max || 1;
    this.#text.show({
      tokens,
      first,
      end,
      marked: at,
      ...fed
        ? {
          weights: fed.map((value) => Math.abs(value) < 0.005 ? 0 : value),
          shade: { top, curve: "sqrt", diverges: true },
          says: (place: number) => `${named(place)} adds ${signed(fed[place]!)} at ${named(at!)}`,
        }
        : {
          weights: activations,
          shade: { top, curve: "linear" },
          says: (place: number) => {
            const value = activations[place] ?? 0;
            return `${named(place)}: ${value > 0 ? activationOf(value) : "off"}`;
          },
        },
    }, currentTheme());
  }
}

/** What each source brings in all. */
function sumsOf({ values, rows }: FeatureFlow, tokens: number): number[] {
  return Array.from({ length: tokens }, (_, source) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += values[row * tokens + source]!;
    return sum;
  });
}
