import { html } from "../draw/elements.ts";
import { last, moved, whole, type Window, zoomed } from "../draw/window.ts";

/** Prompts with fewer tokens are in sight as a whole. */
const FEW = 48;
const STEP = 0.7;
/** A pointer that moves less has clicked. */
const SLACK = 4;

/** The interface between zooming and a heatmap. */
export interface Zoomed {
  /** How many positions there are; 0 while nothing is shown. */
  positions(): number;
  /** Side of a cell in pixels. */
  cellSide(): number;
  /** Where a point is, in cells; fractions are within one. */
  placeAt(point: { readonly clientX: number; readonly clientY: number }): {
    source: number;
    target: number;
  };
  /** Draws another window. */
  show(window: Window): void;
}

/** What is in sight of a heatmap, by wheel, pinch, drag, keys and buttons. */
export class Zoom {
  /** Buttons, for a prompt of many tokens. */
  readonly buttons = html("span", { class: "zoom", hidden: "" });
  readonly #element: HTMLElement;
  readonly #zoomed: Zoomed;
  readonly #pointers = new Map<number, PointerEvent>();
  #window: Window = whole(0);
  #wasDragged = false;

  constructor(element: HTMLElement, of: Zoomed) {
    this.#element = element;
    this.#zoomed = of;
    const button = (name: string, label: string, act: () => void): void => {
      const made = html("button", { type: "button", "aria-label": label, title: label }, name);
      made.addEventListener("click", act);
      this.buttons.append(made);
    };
    button("+", "Zoom in", () => this.#by(STEP));
    button("−", "Zoom out", () => this.#by(1 / STEP));
    button("Whole", "All tokens", () => this.#set(whole(of.positions())));
    button("Last 64", "The last 64 tokens", () => this.#set(last(64, of.positions())));
    element.addEventListener("wheel", (event) => this.#onWheel(event), { passive: false });
    element.addEventListener("pointerdown", (event) => this.#onDown(event));
    element.addEventListener("pointermove", (event) => this.#onMove(event));
    for (const end of ["pointerup", "pointercancel"] as const) {
      element.addEventListener(end, ({ pointerId }) => this.#pointers.delete(pointerId));
    }
    // A drag ends in a click that chooses nothing.
    element.addEventListener("click", (event) => {
      if (this.#wasDragged) event.stopImmediatePropagation();
      this.#wasDragged = false;
    }, { capture: true });
  }

  /** The window for a number of positions: unchanged, or all of them where their number has changed. */
  windowFor(positions: number, known: number): Window {
    if (positions !== known) this.#window = whole(positions);
    this.buttons.hidden = positions <= FEW;
    this.#element.classList.toggle("zoomed", this.#window.size < positions);
    return this.#window;
  }

  /** Takes a window over that was moved for another reason. */
  follow(window: Window): void {
    this.#window = window;
  }

  /** Zooms by a key. @returns Whether it was one of these. */
  onKey(key: string): boolean {
    const acts: Record<string, () => void> = {
      "+": () => this.#by(STEP),
      "=": () => this.#by(STEP),
      "-": () => this.#by(1 / STEP),
      "0": () => this.#set(whole(this.#zoomed.positions())),
    };
    if (this.#zoomed.positions() <= FEW || !Object.hasOwn(acts, key)) return false;
    acts[key]!();
    return true;
  }

  #set(window: Window): void {
    this.#window = window;
    this.#zoomed.show(window);
  }

  /** About a place, or where the window ends: there the newest tokens are. */
  #by(factor: number, at?: { source: number; target: number }): void {
    const { source, target, size } = this.#window;
    const place = at ?? { source: source + size / 2, target: target + size };
    this.#set(zoomed(this.#window, factor, { at: place, positions: this.#zoomed.positions() }));
  }

  #onWheel(event: WheelEvent): void {
    // Without a key, the wheel scrolls the page until the user works with the picture.
    const isMeant = event.ctrlKey || event.metaKey || document.activeElement === this.#element;
    if (!isMeant || this.#zoomed.positions() <= FEW) return;
    event.preventDefault();
    this.#by(event.deltaY < 0 ? STEP : 1 / STEP, this.#zoomed.placeAt(event));
  }

  #onDown(event: PointerEvent): void {
    this.#pointers.set(event.pointerId, event);
    this.#wasDragged = false;
  }

  #onMove(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (!before || this.#zoomed.positions() <= FEW) return;
    if (this.#pointers.size === 2) return this.#pinch(before, event);
    const side = this.#zoomed.cellSide();
    const [x, y] = [before.clientX - event.clientX, before.clientY - event.clientY];
    const [sources, targets] = [Math.round(x / side), Math.round(y / side)];
    const isZoomed = this.#window.size < this.#zoomed.positions();
    if (!isZoomed || Math.hypot(x, y) < SLACK || sources === 0 && targets === 0) return;
    this.#wasDragged = true;
    this.#pointers.set(event.pointerId, event);
    this.#set(moved(this.#window, sources, targets, this.#zoomed.positions()));
  }

  #pinch(before: PointerEvent, now: PointerEvent): void {
    const other = [...this.#pointers.values()].find(({ pointerId }) =>
      pointerId !== now.pointerId
    )!;
    const distance = (one: PointerEvent): number =>
      Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const factor = distance(before) / Math.max(1, distance(now));
    // Small steps add up.
    if (factor > 0.9 && factor < 1.1) return;
    this.#wasDragged = true;
    this.#pointers.set(now.pointerId, now);
    const middle = {
      clientX: (now.clientX + other.clientX) / 2,
      clientY: (now.clientY + other.clientY) / 2,
    };
    this.#by(factor, this.#zoomed.placeAt(middle));
  }
}
