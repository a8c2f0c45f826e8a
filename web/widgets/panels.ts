import { html } from "../draw/elements.ts";
import { paintMatrix, shrink } from "../draw/raster.ts";
import type { Shade } from "../draw/shade.ts";
import type { Ramp } from "../draw/ramp.ts";
import type { Matrix } from "../server/matrix.ts";

/** A small picture that can be chosen. */
export interface Panel {
  /** What it is known by, such as `3` or `3.5`. */
  readonly key: string;
  /** What stands below it; in a grid the headers say it. */
  readonly caption?: string;
  /** Its description for screen readers. */
  readonly name: string;
  readonly matrix: Pick<Matrix, "values" | "positions" | "pool">;
  readonly shade: Shade;
  /** Whether the head is ablated; undefined where it can't be. */
  readonly isOff?: boolean;
}

/** The data of panels. */
export interface PanelsPicture {
  readonly panels: readonly Panel[];
  readonly ramp: Ramp;
  /** The keys of what is shown large. */
  readonly chosen: string | ReadonlySet<string>;
  /** How many columns a grid has, with headers; not given: as many as there is room for. */
  readonly columns?: number;
}

/** A colour of a panel, and what it means. */
export interface Tint {
  readonly colour: string;
  readonly says: string;
}

/** Small multiples: a strip of layers, or a grid of layers and heads. One stop for the Tab key, arrow keys within. */
export class Panels {
  readonly #element: HTMLElement;
  readonly #buttons = new Map<string, HTMLButtonElement>();
  #order: string[] = [];
  #columns: number | undefined;

  /**
   * @param element Where they are drawn.
   * @param choose Told which one is clicked, and whether together with what is chosen already.
   * @param preview Told which one a mouse points at, or that it points at none any longer.
   */
  constructor(
    element: HTMLElement,
    choose: (key: string, isTogether: boolean) => void,
    preview?: (key: string | undefined) => void,
  ) {
    this.#element = element;
    const keyOf = (target: EventTarget | null): string | undefined =>
      target instanceof Element ? target.closest("button")?.dataset["key"] : undefined;
    element.addEventListener("click", ({ target, shiftKey }) => {
      const key = keyOf(target);
      if (key) choose(key, shiftKey);
    });
    if (preview) {
      // Not "over": a picture that appears under a mouse at rest is not pointed at.
      element.addEventListener("pointermove", ({ target, pointerType }) => {
        if (pointerType === "mouse") preview(keyOf(target));
      });
      element.addEventListener("pointerleave", () => preview(undefined));
    }
    element.addEventListener("keydown", (event) => this.#onKey(event));
  }

  /** Draws the panels in place of those before them. */
  show({ panels, ramp, chosen, columns }: PanelsPicture): void {
    const order = panels.map(({ key }) => key);
    if (order.join() !== this.#order.join() || columns !== this.#columns) {
      this.#order = order;
      this.#columns = columns;
      this.#build(panels);
    }
    for (const { key, name, caption, matrix, shade, isOff } of panels) {
      const button = this.#buttons.get(key)!;
      const canvas = button.querySelector("canvas")!;
      button.classList.toggle("off", isOff === true);
      const label = caption && caption !== name ? `${name}: ${caption}` : name;
      button.setAttribute("aria-label", isOff ? `${name}, ablated` : label);
      if (caption !== undefined) button.lastElementChild!.textContent = caption;
      paintMatrix(canvas, shrink(matrix), { shade, ramp });
      canvas.classList.toggle("coarse", matrix.positions < 64);
    }
    this.choose(chosen);
  }

  /** Colours panels by their keys; those that are not named lose their colour. */
  tint(tints: ReadonlyMap<string, Tint>): void {
    for (const [key, button] of this.#buttons) {
      const tint = tints.get(key);
      button.classList.toggle("tinted", tint !== undefined);
      if (tint) button.style.setProperty("--tint", tint.colour);
      button.setAttribute("aria-description", tint?.says ?? "");
      const name = button.getAttribute("aria-label") ?? "";
      button.title = tint ? `${name}: ${tint.says}` : name;
    }
  }

  /** Marks the one that is shown large. */
  choose(chosen: string | ReadonlySet<string>): void {
    const keys = typeof chosen === "string" ? new Set([chosen]) : chosen;
    const reachable = this.#order.find((key) => keys.has(key)) ?? this.#order[0];
    for (const [key, button] of this.#buttons) {
      const isChosen = keys.has(key) || button.classList.contains("off");
      button.setAttribute("aria-pressed", String(isChosen));
      button.tabIndex = key === reachable ? 0 : -1;
    }
  }

  #build(panels: readonly Panel[]): void {
    this.#buttons.clear();
    for (const { key, name, caption } of panels) {
      const button = html("button", { type: "button", class: "panel", title: name });
      button.dataset["key"] = key;
      button.append(html("canvas", { "aria-hidden": "true" }));
      if (caption !== undefined) button.append(html("span", {}, caption));
      this.#buttons.set(key, button);
    }
    this.#element.classList.toggle("grid", this.#columns !== undefined);
    this.#element.replaceChildren(
      ...(this.#columns === undefined ? this.#buttons.values() : this.#withHeaders(this.#columns)),
    );
  }

  #withHeaders(columns: number): HTMLElement[] {
    this.#element.style.setProperty("--columns", String(columns));
    const header = (text: string): HTMLElement =>
      html("span", { class: "header", "aria-hidden": "true" }, text);
    const cells = [header(""), ...Array.from({ length: columns }, (_, i) => header(String(i)))];
    [...this.#buttons.values()].forEach((button, index) => {
      if (index % columns === 0) cells.push(header(String(index / columns)));
      cells.push(button);
    });
    return cells;
  }

  #onKey(event: KeyboardEvent): void {
    const focused = document.activeElement instanceof HTMLElement
      ? document.activeElement.dataset["key"]
      : undefined;
    const at = this.#order.indexOf(focused ?? "");
    const rowLength = this.#columns ?? this.#rowLength();
    const moves: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - rowLength,
      ArrowDown: at + rowLength,
      Home: 0,
      End: this.#order.length - 1,
    };
    const to = this.#order[moves[event.key] ?? -1];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    for (const button of this.#buttons.values()) button.tabIndex = -1;
    const button = this.#buttons.get(to)!;
    button.tabIndex = 0;
    button.focus();
  }

  /** How many panels the strip has in its first line. */
  #rowLength(): number {
    const tops = [...this.#buttons.values()].map(({ offsetTop }) => offsetTop);
    return tops.filter((top) => top === tops[0]).length;
  }
}
