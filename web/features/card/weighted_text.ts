import { html } from "../../draw/elements.ts";
import { coloursOf, type Shade } from "../../draw/shade.ts";
import { rampFor, type Theme } from "../../draw/theme.ts";
import { labelText } from "../../draw/token_label.ts";
import type { Tip } from "../../widgets/tip.ts";

/** A text, and a number for each of its tokens. */
export interface WeightedPicture {
  readonly tokens: readonly string[];
  /** Those that are shown: from one to before another. */
  readonly first: number;
  readonly end: number;
  readonly weights: ArrayLike<number>;
  readonly shade: Shade;
  /** What a token's number says, in a sentence. */
  readonly says: (position: number) => string;
  /** The token that this is about. */
  readonly marked: number | undefined;
}

/** What its surroundings do for a text. */
export interface TextTools {
  readonly tip: Tip;
  /** What is written there is read out. */
  readonly live: HTMLElement;
  /** Told the token that was chosen. */
  readonly choose: (position: number) => void;
}

/** A text whose tokens have the colours of their numbers. One stop for the Tab key, arrow keys within. */
export class WeightedText {
  readonly element = html("p", { class: "weighted", role: "group" });
  readonly #tools: TextTools;
  #tokens: HTMLElement[] = [];

  constructor(tools: TextTools) {
    this.#tools = tools;
    const { element } = this;
    const { tip } = tools;
    element.addEventListener("pointerover", ({ target }) => this.#tell(tokenAt(target)));
    element.addEventListener("pointerleave", () => tip.hide());
    element.addEventListener("focusin", ({ target }) => this.#tell(tokenAt(target)));
    element.addEventListener("focusout", () => tip.hide());
    element.addEventListener("click", ({ target }) => {
      const token = tokenAt(target);
      if (token) tools.choose(Number(token.dataset["position"]));
    });
    element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Shows a text, or the same with other numbers. */
  show(picture: WeightedPicture, theme: Theme): void {
    const { tokens, first, end, weights, shade, says, marked } = picture;
    const ramp = rampFor(theme, shade);
    const focused = document.activeElement;
    const at = this.#tokens.indexOf(focused as HTMLElement);
    this.#tokens = tokens.slice(first, end).map((text, n) => {
      const position = first + n;
      const token = html("span", {
        class: position === marked ? "token from" : "token",
        role: "button",
        tabindex: -1,
        "aria-label": says(position),
        "data-position": position,
        "data-says": says(position),
      }, ...partsOf(text));
      const weight = weights[position] ?? 0;
      if (weight !== 0) {
        const { back, ink } = coloursOf(weight, shade, ramp);
        token.style.backgroundColor = back;
        token.style.color = ink;
        // For those whose colours are not ours.
        token.dataset["share"] = String(Number(weight.toPrecision(2)));
      }
      return token;
    });
    this.element.replaceChildren(
      ...first > 1 ? ["… "] : [],
      ...this.#tokens,
      ...end < tokens.length ? [" …"] : [],
    );
    this.#reach(this.#tokens[at] ?? this.#tokens[(marked ?? first) - first]);
    if (at >= 0) this.#tokens[at]?.focus();
  }

  #tell(token: HTMLElement | undefined): void {
    const { tip } = this.#tools;
    if (!token) return tip.hide();
    const { left, top } = token.getBoundingClientRect();
    tip.show([token.dataset["says"]!], { x: left + scrollX, y: top + scrollY });
  }

  #onKey(event: KeyboardEvent): void {
    const token = tokenAt(event.target);
    if (!token) return;
    const at = this.#tokens.indexOf(token);
    const moves: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: this.#tokens.length - 1,
    };
    if (event.key === "Enter" || event.key === " ") {
      this.#tools.choose(Number(token.dataset["position"]));
    } else if (moves[event.key] !== undefined) {
      const next = this.#tokens[moves[event.key]!];
      this.#reach(next);
      next?.focus();
    } else return;
    event.preventDefault();
  }

  /** Makes one token the one that the Tab key comes to. */
  #reach(token: HTMLElement | undefined): void {
    if (!token) return;
    for (const one of this.#tokens) one.tabIndex = one === token ? 0 : -1;
  }
}

function tokenAt(target: EventTarget | null): HTMLElement | undefined {
  return target instanceof Element
    ? target.closest<HTMLElement>("[data-position]") ?? undefined
    : undefined;
}

/** A token as text; what can't be seen has a mark. */
function partsOf(text: string): (Node | string)[] {
  if (labelText(text) === "BOS") return [html("i", {}, "BOS")];
  return /^[\r\n]+$/.test(text) ? [html("i", {}, "↵"), text] : [text];
}
