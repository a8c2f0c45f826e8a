import { html } from "../draw/elements.ts";
import { drawGrid, type GridPicture } from "../draw/grid_svg.ts";
import type { Theme } from "../draw/theme.ts";
import type { Tools } from "../views/view.ts";

/** What a board has to know of a picture. */
export interface Celled {
  readonly columns: { readonly length: number };
  /** Row-major; nothing where a place is empty. */
  readonly cells: readonly ({ readonly says: string } | undefined)[];
  /** Its description for screen readers. */
  readonly title: string;
  /** The place of the cell that was chosen. */
  readonly chosen?: number | undefined;
}

/** Draws a picture of a width in pixels; of one that is too wide, the part that has the cell at a place. */
export type DrawCells<Picture> = (
  picture: Picture,
  theme: Theme,
  size: { readonly width: number; readonly place: number },
) => SVGSVGElement;

/** A grid whose cells can be pointed at and chosen. One stop for the Tab key, arrow keys within. */
export class CellBoard<Picture extends Celled> {
  readonly element = html("div", { class: "cells", role: "group" });
  readonly #tools: Tools;
  readonly #drawing: DrawCells<Picture>;
  #picture: Picture | undefined;
  #theme: Theme | undefined;
  #at = 0;

  /** @param choose Told the place of a cell, row-major. */
  constructor(
    tools: Tools,
    choose: (place: number) => void,
    drawing: DrawCells<Picture>,
  ) {
    this.#tools = tools;
    this.#drawing = drawing;
    const { element } = this;
    const placeOf = (target: EventTarget | null): number | undefined => {
      const cell = target instanceof Element ? target.closest<SVGElement>("[data-place]") : null;
      return cell ? Number(cell.dataset["place"]) : undefined;
    };
    element.addEventListener("click", ({ target }) => {
      const place = placeOf(target);
      if (place !== undefined) choose(place);
    });
    element.addEventListener("pointermove", ({ target, pageX, pageY }) => {
      const place = placeOf(target);
      const says = place === undefined ? undefined : this.#picture?.cells[place]?.says;
      if (says) tools.tip.show(says.split("\n"), { x: pageX, y: pageY });
      else tools.tip.hide();
    });
    element.addEventListener("pointerleave", () => tools.tip.hide());
    element.addEventListener("keydown", (event) => {
      const place = placeOf(event.target);
      if (place === undefined) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        return choose(place);
      }
      this.#move(event, place);
    });
    new ResizeObserver(() => this.#draw()).observe(element);
  }

  /** Draws a grid in place of the one before it. */
  show(picture: Picture, theme: Theme): void {
    this.#picture = picture;
    this.#theme = theme;
    this.element.setAttribute("aria-label", picture.title);
    this.#at = picture.chosen ?? this.#at;
    if (!picture.cells[this.#at]) this.#at = Math.max(0, picture.cells.findIndex(Boolean));
    this.#draw();
  }

  #draw(): void {
    const width = this.element.clientWidth;
    if (!this.#picture || !this.#theme || width === 0) return;
    const hadFocus = this.element.contains(document.activeElement);
    const size = { width, place: this.#at };
    this.element.replaceChildren(this.#drawing(this.#picture, this.#theme, size));
    this.#reach(this.#at, hadFocus);
  }

  #move(event: KeyboardEvent, place: number): void {
    const { columns: { length: width }, cells } = this.#picture!;
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -width,
      ArrowDown: width,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const isAcross = Math.abs(step) === 1;
    const isWithin = (at: number): boolean =>
      at >= 0 && at < cells.length &&
      (!isAcross || Math.floor(at / width) === Math.floor(place / width));
    let to = place + step;
    while (isWithin(to) && !cells[to]) to += step;
    if (!isWithin(to)) return;
    if (!this.#find(to)) {
      this.#at = to;
      this.#draw();
    }
    this.#reach(to, true);
    this.#tools.live.textContent = cells[to]!.says.replaceAll("\n", ". ");
  }

  #find(place: number): SVGElement | null {
    return this.element.querySelector<SVGElement>(`[data-place="${place}"]`);
  }

  /** Makes one cell the one that the Tab key comes to. */
  #reach(place: number, isFocused: boolean): void {
    this.#find(this.#at)?.setAttribute("tabindex", "-1");
    this.#at = place;
    const cell = this.#find(place);
    cell?.setAttribute("tabindex", "0");
    if (isFocused) cell?.focus();
  }
}

/** A board of cells in colours. */
export class GridBoard extends CellBoard<GridPicture> {
  constructor(tools: Tools, choose: (place: number) => void) {
    super(tools, choose, (picture, theme, { width }) => drawGrid(picture, theme, width));
  }
}
