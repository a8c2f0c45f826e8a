import { html } from "../draw/elements.ts";
import { labelText } from "../draw/token_label.ts";
import type { TokenSpan } from "../server/reading.ts";

/** Called when the user does something with a text. */
export interface TextEvents {
  /** A token is pointed at or focused, or none any longer. */
  point(position: number | undefined): void;
  choose(position: number): void;
}

/** A prompt as text whose tokens can be chosen. One stop for the Tab key, arrow keys within. */
export class TokenText {
  readonly #element: HTMLElement;
  readonly #events: TextEvents;
  #tokens: readonly HTMLElement[] = [];
  #pointed: number | undefined;
  #reads = "";

  constructor(element: HTMLElement, events: TextEvents) {
    this.#element = element;
    this.#events = events;
    element.addEventListener("pointerover", ({ target }) => {
      const position = positionOf(target);
      if (position !== undefined) this.#point(position);
    });
    element.addEventListener("pointerleave", () => this.#point(undefined));
    element.addEventListener("focusin", ({ target }) => this.#point(positionOf(target)));
    element.addEventListener("focusout", () => this.#point(undefined));
    element.addEventListener("click", ({ target }) => {
      const position = positionOf(target);
      if (position !== undefined) events.choose(position);
    });
    element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** The elements of the tokens, in order. */
  get tokens(): readonly HTMLElement[] {
    return this.#tokens;
  }

  /** Writes a text; its elements stay where it is the same one. */
  show(prompt: string, spans: readonly TokenSpan[]): void {
    const reads = JSON.stringify([prompt, spans.length]);
    if (reads === this.#reads) return;
    this.#reads = reads;
    this.#tokens = spans.map((span, position) => tokenElement(prompt, span, position));
    this.#element.replaceChildren(...this.#tokens);
  }

  /** Makes a token the one that the Tab key comes to, and brings it into sight; the last one where none is chosen. */
  reach(position: number | undefined): void {
    const reachable = this.#tokens[position ?? -1] ? position : this.#tokens.length - 1;
    this.#tokens.forEach((token, index) => token.tabIndex = index === reachable ? 0 : -1);
    this.#bringIntoSight(this.#tokens[position ?? -1]);
  }

  #point(position: number | undefined): void {
    if (position === this.#pointed) return;
    this.#pointed = position;
    this.#events.point(position);
  }

  /** Scrolls the text, not the page. */
  #bringIntoSight(token: HTMLElement | undefined): void {
    const { clientHeight, scrollHeight, scrollTop } = this.#element;
    if (!token || scrollHeight <= clientHeight) return;
    const top = token.offsetTop - this.#element.offsetTop;
    const isInSight = top >= scrollTop && top + token.offsetHeight <= scrollTop + clientHeight;
    if (!isInSight) this.#element.scrollTop = top - clientHeight / 2;
  }

  #onKey(event: KeyboardEvent): void {
    const at = positionOf(event.target);
    if (at === undefined) return;
    const moves: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: this.#tokens.length - 1,
    };
    if (event.key === "Enter" || event.key === " ") this.#events.choose(at);
    else if (this.#tokens[moves[event.key] ?? -1]) {
      this.#tokens[at]!.tabIndex = -1;
      const token = this.#tokens[moves[event.key]!]!;
      token.tabIndex = 0;
      token.focus();
    } else return;
    event.preventDefault();
  }
}

/** Colours a token, or takes its colours away. What stands there as a number is for those whose colours are not ours. */
export function light(
  token: HTMLElement,
  lit: { readonly back: string; readonly ink: string; readonly says: string } | undefined,
): void {
  token.style.backgroundColor = lit?.back ?? "";
  token.style.color = lit?.ink ?? "";
  token.title = lit?.says ?? "";
  token.dataset["share"] = lit?.says ?? "";
}

/** Marks the token that the others are coloured for. */
export function markCurrent(token: HTMLElement, isCurrent: boolean): void {
  token.classList.toggle("from", isCurrent);
  if (isCurrent) token.setAttribute("aria-current", "true");
  else token.removeAttribute("aria-current");
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
