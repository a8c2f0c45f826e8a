import { html } from "../draw/elements.ts";

/** A note beside what is pointed at. */
export class Tip {
  readonly #element: HTMLElement;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  /** Shows lines beside a point of the document, inside the window. */
  show([first, ...others]: readonly string[], at: { x: number; y: number }): void {
    this.#element.replaceChildren(
      html("bdi", {}, first ?? ""),
      ...others.map((line) => html("small", {}, line)),
    );
    this.#element.hidden = false;
    const { offsetWidth, offsetHeight } = this.#element;
    const right = scrollX + document.documentElement.clientWidth;
    const x = Math.max(4, Math.min(at.x + 14, right - offsetWidth - 8));
    const above = at.y - offsetHeight - 12;
    this.#element.style.translate = `${x}px ${above > scrollY ? above : at.y + 18}px`;
  }

  /** Takes it away. */
  hide(): void {
    this.#element.hidden = true;
  }
}
