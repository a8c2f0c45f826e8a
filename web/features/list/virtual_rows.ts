import { html } from "../../draw/elements.ts";

/** Rows that are drawn above and below those in sight. */
const AROUND = 8;

/** How the rows of a list are drawn. */
export interface RowDrawing {
  /** Pixels of a row. */
  readonly height: number;
  /** Draws rows from one to before another into the body of the table; called as these change. */
  draw(first: number, end: number): void;
}

/** A table of any length, of which only the rows in sight are there. One stop for the Tab key, arrow keys within. */
export class VirtualRows {
  readonly element: HTMLElement;
  readonly body = html("tbody");
  readonly #sizer = html("div", { class: "sizer" });
  readonly #table: HTMLTableElement;
  readonly #drawing: RowDrawing;
  #total = 0;
  #at = 0;

  /** @param head The head of the table. */
  constructor(head: HTMLElement, caption: string, drawing: RowDrawing) {
    this.#drawing = drawing;
    this.#table = html("table", {}, html("caption", { class: "unseen" }, caption), head, this.body);
    this.#sizer.append(this.#table);
    this.element = html(
      "div",
      { class: "rows", role: "region", "aria-label": caption, tabindex: -1 },
      this.#sizer,
    );
    let frame = 0;
    this.element.addEventListener("scroll", () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => this.redraw());
    });
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.body.addEventListener("focusin", ({ target }) => {
      const row = target instanceof Element ? target.closest<HTMLElement>("tr") : null;
      if (row) this.#at = Number(row.dataset["row"]);
    });
    new ResizeObserver(() => this.redraw()).observe(this.element);
  }

  /** The row that the Tab key comes to. */
  get at(): number {
    return this.#at;
  }

  /** Shows a list of another length, from its beginning. */
  restart(total: number): void {
    this.#total = total;
    this.#at = 0;
    this.element.scrollTop = 0;
    this.redraw();
  }

  /** Draws the rows in sight again. */
  redraw(): void {
    const { height } = this.#drawing;
    const head = this.#table.tHead?.offsetHeight ?? 0;
    this.#sizer.style.blockSize = `${this.#total * height + head}px`;
    this.#table.ariaRowCount = String(this.#total + 1);
    const top = Math.floor(this.element.scrollTop / height);
    const inSight = Math.ceil(this.element.clientHeight / height);
    const first = Math.max(0, Math.min(top, this.#total - inSight) - AROUND);
    const end = Math.min(this.#total, top + inSight + AROUND);
    this.#table.style.insetBlockStart = `${first * height}px`;
    const { activeElement } = document;
    const hadFocus = activeElement === this.element || this.body.contains(activeElement);
    this.#drawing.draw(first, end);
    if (hadFocus) this.#focus();
  }

  #onKey(event: KeyboardEvent): void {
    const page = Math.floor(this.element.clientHeight / this.#drawing.height) - 1;
    const moves: Record<string, number> = {
      ArrowDown: this.#at + 1,
      ArrowUp: this.#at - 1,
      PageDown: this.#at + page,
      PageUp: this.#at - page,
      Home: 0,
      End: this.#total - 1,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#at = Math.max(0, Math.min(this.#total - 1, to));
    const { height } = this.#drawing;
    const { clientHeight, scrollTop } = this.element;
    const top = this.#at * height;
    const head = this.#table.tHead?.offsetHeight ?? 0;
    if (top < scrollTop) this.element.scrollTop = top;
    const bottom = top + height + head - clientHeight;
    if (bottom > scrollTop) this.element.scrollTop = bottom;
    this.redraw();
    this.#focus();
  }

  #focus(): void {
    const link = this.body.querySelector<HTMLElement>(`tr[data-row="${this.#at}"] a`);
    // A row that is not here yet, or is scrolled away, has none: the table keeps the focus for it.
    (link ?? this.element).focus({ preventScroll: true });
  }
}
