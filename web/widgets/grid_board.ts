import { html } from "../draw/elements.ts";
import { drawGrid, type GridPicture } from "../draw/grid_svg.ts";
import type { Theme } from "../draw/theme.ts";
import type { Tools } from "../views/view.ts";

/** A grid whose cells can be pointed at and chosen. One stop for the Tab key, arrow keys within. */
export class GridBoard {
  readonly element = html("div", { class: "cells", role: "group" });
  readonly #tools: Tools;
  #picture: GridPicture | undefined;
  #theme: Theme | undefined;
  #at = 0;

  /** @param choose Told the place of a cell, row-major. */
  constructor(tools: Tools, choose: (place: number) => void) {
    this.#tools = tools;
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
  show(picture: GridPicture, theme: Theme): void {
    this.#picture = picture;
    this.#theme = theme;
    this.element.setAttribute("aria-label", picture.title);
    this.#at = picture.chosen ?? Math.min(this.#at, Math.max(0, picture.cells.length - 1));
    this.#draw();
  }

  #draw(): void {
    const width = this.element.clientWidth;
    if (!this.#picture || !this.#theme || width === 0) return;
    const hadFocus = this.element.contains(document.activeElement);
    this.element.replaceChildren(drawGrid(this.#picture, this.#theme, width));
    this.#reach(this.#at, hadFocus);
  }

  #move(event: KeyboardEvent, place: number): void {
    const width = this.#picture!.columns.length;
    const moves: Record<string, number> = {
      ArrowLeft: place % width > 0 ? place - 1 : -1,
      ArrowRight: (place + 1) % width > 0 ? place + 1 : -1,
      ArrowUp: place - width,
      ArrowDown: place + width,
    };
    const to = moves[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const cell = this.#picture!.cells[to];
    if (!cell) return;
    this.#reach(to, true);
    this.#tools.live.textContent = cell.says.replaceAll("\n", ". ");
  }

  /** Makes one cell the one that the Tab key comes to. */
  #reach(place: number, isFocused: boolean): void {
    const find = (at: number): SVGElement | null =>
      this.element.querySelector<SVGElement>(`[data-place="${at}"]`);
    find(this.#at)?.setAttribute("tabindex", "-1");
    this.#at = place;
    const cell = find(place);
    cell?.setAttribute("tabindex", "0");
    if (isFocused) cell?.focus();
  }
}
