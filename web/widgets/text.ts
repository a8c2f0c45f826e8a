import { html } from "../draw/elements.ts";
import { share } from "../draw/format.ts";
import { coloursOf, factorOf, type Shade } from "../draw/shade.ts";
import { rampFor, type Theme } from "../draw/theme.ts";
import { labelText } from "../draw/token_label.ts";
import type { Matrix } from "../server/matrix.ts";
import type { TokenSpan } from "../server/reading.ts";
import { type Direction, linksOf } from "./weights_of.ts";

/** The data of a text view. */
export interface TextPicture {
  readonly prompt: string;
  /** As many as the matrix has positions. */
  readonly spans: readonly TokenSpan[];
  readonly matrix: Matrix;
  readonly theme: Theme;
  /** On the scale of the whole matrix, so that a token with no preference looks like one. */
  readonly shade: Shade;
  readonly direction: Direction;
}

/** Called when the user does something with a text. */
export interface TextEvents {
  /** A token is pointed at or focused, or none any longer. */
  point(position: number | undefined): void;
  choose(position: number): void;
}

/** The prompt as text: the tokens that feed the one pointed at, or take from it, light up by their weight. */
export class TextView {
  readonly #element: HTMLElement;
  #tokens: HTMLElement[] = [];
  #picture: TextPicture | undefined;
  #pointed: number | undefined;
  #chosen: number | undefined;
  #reads = "";

  constructor(element: HTMLElement, events: TextEvents) {
    this.#element = element;
    const point = (position: number | undefined): void => {
      if (position === this.#pointed) return;
      this.#pointed = position;
      this.#light();
      events.point(position);
    };
    element.addEventListener("pointerover", ({ target }) => {
      const position = positionOf(target);
      if (position !== undefined) point(position);
    });
    element.addEventListener("pointerleave", () => point(undefined));
    element.addEventListener("focusin", ({ target }) => point(positionOf(target)));
    element.addEventListener("focusout", () => point(undefined));
    element.addEventListener("click", ({ target }) => {
      const position = positionOf(target);
      if (position !== undefined) events.choose(position);
    });
    element.addEventListener("keydown", (event) => this.#onKey(event, events));
  }

  /** Shows a text, or the same one with other weights. */
  show(picture: TextPicture): void {
    this.#picture = picture;
    const reads = JSON.stringify([picture.prompt, picture.spans.length]);
    if (reads !== this.#reads) {
      this.#reads = reads;
      this.#tokens = picture.spans.map((span, position) =>
        tokenElement(picture.prompt, span, position)
      );
      this.#element.replaceChildren(...this.#tokens);
    }
    this.mark(this.#chosen);
  }

  /** Marks the chosen token, whose links show while none is pointed at. */
  mark(position: number | undefined): void {
    this.#chosen = position;
    const reachable = this.#tokens[position ?? -1] ? position : this.#tokens.length - 1;
    this.#tokens.forEach((token, index) => token.tabIndex = index === reachable ? 0 : -1);
    this.#light();
    this.#bringIntoSight(this.#tokens[position ?? -1]);
  }

  /** Scrolls the text, not the page. */
  #bringIntoSight(token: HTMLElement | undefined): void {
    const { clientHeight, scrollHeight, scrollTop } = this.#element;
    if (!token || scrollHeight <= clientHeight) return;
    const top = token.offsetTop - this.#element.offsetTop;
    const isInSight = top >= scrollTop && top + token.offsetHeight <= scrollTop + clientHeight;
    if (!isInSight) this.#element.scrollTop = top - clientHeight / 2;
  }

  #light(): void {
    if (!this.#picture) return;
    const { matrix, theme, shade, direction } = this.#picture;
    const position = this.#pointed ?? this.#chosen;
    const weights = position === undefined || position >= matrix.positions
      ? undefined
      : linksOf(matrix, position, direction);
    const ramp = rampFor(theme, shade);
    this.#tokens.forEach((token, index) => {
      const weight = weights?.[index] ?? 0;
      const target = direction === "sources" ? position ?? 0 : index;
      const isSelf = index === position;
      const isLit = weight !== 0 && !(isSelf && shade.hidesSelf);
      const { back, ink } = coloursOf(factorOf(shade.unit, target) * weight, shade, ramp);
      token.style.backgroundColor = isLit ? back : "";
      token.style.color = isLit ? ink : "";
      token.classList.toggle("from", isSelf);
      if (isSelf) token.setAttribute("aria-current", "true");
      else token.removeAttribute("aria-current");
      token.title = isLit ? share(weight) : "";
      // For those whose colours are not ours.
      token.dataset["share"] = isLit ? share(weight) : "";
    });
  }

  #onKey(event: KeyboardEvent, events: TextEvents): void {
    const at = positionOf(event.target);
    if (at === undefined) return;
    const moves: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: this.#tokens.length - 1,
    };
    if (event.key === "Enter" || event.key === " ") events.choose(at);
    else if (this.#tokens[moves[event.key] ?? -1]) {
      this.#tokens[at]!.tabIndex = -1;
      const token = this.#tokens[moves[event.key]!]!;
      token.tabIndex = 0;
      token.focus();
    } else return;
    event.preventDefault();
  }
}

function positionOf(target: EventTarget | null): number | undefined {
  const token = target instanceof Element ? target.closest<HTMLElement>("[data-position]") : null;
  return token ? Number(token.dataset["position"]) : undefined;
}

function tokenElement(
  prompt: string,
  { text, start, end }: TokenSpan,
  position: number,
): HTMLElement {
  const written = prompt.slice(start, end);
  const element = html("span", { class: "token", role: "button", "aria-label": labelText(text) });
  element.dataset["position"] = String(position);
  if (written === "") {
    // BOS, or bytes of a character that an earlier token began.
    element.classList.add("unwritten");
    element.append(position === 0 && end === 0 ? "BOS" : "⋯");
  } else if (/^[\r\n]+$/.test(written)) element.append(html("i", {}, "↵"), written);
  else element.append(written);
  return element;
}
