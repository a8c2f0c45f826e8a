import { html, svg } from "../draw/elements.ts";
import { type Frame, layOut, xOf, yOf } from "../draw/frame.ts";
import { including, moved as moveWindow, type Window } from "../draw/window.ts";
import { drawSurroundings, sourceLabel, targetLabel } from "../draw/heatmap_svg.ts";
import { paintMatrix } from "../draw/raster.ts";
import type { Shade } from "../draw/shade.ts";
import { rampFor, type Theme } from "../draw/theme.ts";
import type { Matrix } from "../server/matrix.ts";
import { Minimap } from "./minimap.ts";
import { Zoom } from "./zoom.ts";

/** A cell of a heatmap. */
export interface Cell {
  readonly target: number;
  readonly source: number;
}

/** The data of a heatmap. */
export interface HeatmapPicture {
  readonly matrix: Matrix;
  readonly shade: Shade;
  readonly theme: Theme;
  /** Its description for screen readers. */
  readonly title: string;
}

/** Called when the user does something with a heatmap. */
export interface HeatmapEvents {
  /** A cell is pointed at, or none any longer. */
  point(cell: Cell | undefined, by: "pointer" | "keyboard"): void;
  /** A target is chosen. */
  choose(target: number): void;
}

/** A large heatmap: its cells on a canvas, everything else in SVG above it, reachable by pointer and arrow keys. */
export class Heatmap {
  readonly element: HTMLElement;
  readonly zoom: Zoom;
  readonly #canvas = html("canvas", { class: "cells" });
  /** All cells, of which the canvas shows what is in sight. */
  readonly #raster = html("canvas");
  readonly #minimap: Minimap;
  readonly #svg = svg("svg", { "aria-hidden": "true" });
  readonly #cursor = svg("g", { class: "cursor" });
  readonly #chosen = svg("g", { class: "chosen" });
  readonly #events: HeatmapEvents;
  #picture: HeatmapPicture | undefined;
  #frame: Frame | undefined;
  #cell: Cell | undefined;
  #target: number | undefined;

  constructor(element: HTMLElement, events: HeatmapEvents) {
    this.element = element;
    this.#events = events;
    this.zoom = new Zoom(element, {
      positions: () => this.#picture?.matrix.positions ?? 0,
      cellSide: () => this.#frame?.cell ?? 1,
      placeAt: (point) => this.#placeAt(point),
      show: (window) => this.#draw(window),
    });
    this.#minimap = new Minimap((place) => this.#moveTo(place));
    element.append(this.#canvas, this.#svg, this.#minimap.element);
    element.addEventListener("pointermove", (event) => this.#point(this.#cellAt(event), "pointer"));
    element.addEventListener("pointerdown", (event) => this.#point(this.#cellAt(event), "pointer"));
    element.addEventListener("pointerleave", ({ pointerType }) => {
      // A finger leaves with every tap; the cell that it chose stays until the next.
      if (pointerType !== "touch") this.#point(undefined, "pointer");
    });
    element.addEventListener("blur", () => this.#point(undefined, "keyboard"));
    element.addEventListener("click", (event) => {
      const cell = this.#cellAt(event);
      if (cell) events.choose(cell.target);
    });
    element.addEventListener("keydown", (event) => this.#onKey(event));
    new ResizeObserver(() => {
      if (this.#picture && element.clientWidth !== this.#frame?.width) this.show(this.#picture);
    }).observe(element);
  }

  /** Draws a picture in place of the one before it. */
  show(picture: HeatmapPicture): void {
    const { matrix, theme, shade } = picture;
    const known = this.#picture?.matrix.positions ?? 0;
    this.#picture = picture;
    paintMatrix(this.#raster, matrix, { shade, ramp: rampFor(theme, shade) });
    // With other tokens, no cell is pointed at any more.
    if (matrix.positions !== known) this.#cell = undefined;
    this.#draw(this.zoom.windowFor(matrix.positions, known));
  }

  #draw(window: Window): void {
    const { element } = this;
    if (!this.#picture || element.clientWidth === 0) return; // Drawn when it comes into sight.
    const { matrix, theme, shade, title } = this.#picture;
    this.zoom.windowFor(matrix.positions, matrix.positions);
    const frame = this.#frame = layOut(matrix.tokens, {
      available: element.clientWidth,
      room: innerHeight - element.getBoundingClientRect().top - scrollY,
      font: theme.font,
      window,
    });
    const { source, target, size } = window;
    this.#canvas.width = this.#canvas.height = size;
    this.#canvas.getContext("2d")!
      .drawImage(this.#raster, source, target, size, size, 0, 0, size, size);
    const { style } = this.#canvas;
    style.left = `${frame.left}px`;
    style.top = `${frame.top}px`;
    style.width = style.height = `${frame.side}px`;
    // Cells smaller than a pixel are averaged, larger ones keep their edges.
    style.imageRendering = frame.cell * devicePixelRatio >= 1 ? "pixelated" : "auto";
    element.style.height = `${frame.height}px`;
    element.setAttribute("aria-label", title);
    this.#svg.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    this.#svg.setAttribute("width", String(frame.width));
    this.#svg.setAttribute("height", String(frame.height));
    const around = drawSurroundings(matrix, { frame, shade, theme });
    this.#svg.replaceChildren(around, this.#chosen, this.#cursor);
    this.#minimap.show(this.#raster, window, theme.ink);
    this.#drawCursor();
    this.mark(this.#target);
  }

  /** Marks the row of the chosen target. */
  mark(target: number | undefined): void {
    this.#target = target;
    if (!this.#frame || !this.#picture) return;
    const { theme, matrix } = this.#picture;
    if (target === undefined || target >= matrix.positions) return this.#chosen.replaceChildren();
    const { left, cell, side, window } = this.#frame;
    const right = Math.min(left + side, xOf(this.#frame, target + 1));
    const isInSight = target >= window.target && target < window.target + window.size;
    if (!isInSight || right <= left) return this.#chosen.replaceChildren();
    this.#chosen.replaceChildren(svg("rect", {
      x: left - 1,
      y: yOf(this.#frame, target) - 1,
      width: right - left + 2,
      height: Math.max(cell, 2) + 2,
      fill: "none",
      stroke: theme.ink,
      "stroke-width": 1.5,
      rx: 2,
    }));
  }

  #point(cell: Cell | undefined, by: "pointer" | "keyboard"): void {
    if (cell?.target === this.#cell?.target && cell?.source === this.#cell?.source) return;
    this.#cell = cell;
    this.#drawCursor();
    this.#events.point(cell, by);
  }

  #drawCursor(): void {
    const { matrix, theme } = this.#picture ?? {};
    if (!this.#cell || !this.#frame || !matrix || !theme) return this.#cursor.replaceChildren();
    const { left, top, cell, side, fontSize } = this.#frame;
    const { target, source } = this.#cell;
    const [x, y] = [xOf(this.#frame, source), yOf(this.#frame, target)];
    const line = { stroke: theme.ink, "stroke-width": 1, "stroke-dasharray": "2 3", opacity: 0.7 };
    const strong = (label: SVGTextElement): SVGTextElement => {
      label.setAttribute("font-weight", "700");
      label.setAttribute("stroke", theme.paper);
      label.setAttribute("stroke-width", "5");
      label.setAttribute("paint-order", "stroke");
      return label;
    };
    const labels = svg(
      "g",
      { "font-family": theme.font, "font-size": fontSize, fill: theme.ink },
      strong(targetLabel(matrix.tokens[target]!, target, this.#frame, theme)),
      strong(sourceLabel(matrix.tokens[source]!, source, this.#frame, theme)),
    );
    this.#cursor.replaceChildren(
      svg("line", { ...line, x1: left, x2: x, y1: y + cell / 2, y2: y + cell / 2 }),
      svg("line", { ...line, x1: x + cell / 2, x2: x + cell / 2, y1: y + cell, y2: top + side }),
      svg("rect", {
        x: x - 0.5,
        y: y - 0.5,
        width: cell + 1,
        height: cell + 1,
        fill: "none",
        stroke: theme.ink,
        "stroke-width": 2,
      }),
      labels,
    );
  }

  /** Where the centre of a cell is in the element. */
  centreOf({ target, source }: Cell): { x: number; y: number } {
    return { x: xOf(this.#frame!, source + 0.5), y: yOf(this.#frame!, target + 0.5) };
  }

  #cellAt(event: MouseEvent): Cell | undefined {
    if (!this.#frame || !this.#picture) return undefined;
    const place = this.#placeAt(event);
    const [source, target] = [Math.floor(place.source), Math.floor(place.target)];
    const { window } = this.#frame;
    const isInSight = source >= window.source && source < window.source + window.size &&
      target >= window.target && target < window.target + window.size;
    return isInSight && source <= target ? { target, source } : undefined;
  }

  #placeAt(
    { clientX, clientY }: { readonly clientX: number; readonly clientY: number },
  ): { source: number; target: number } {
    const { x, y } = this.element.getBoundingClientRect();
    const { left, top, cell, window } = this.#frame!;
    return {
      source: window.source + (clientX - x - left) / cell,
      target: window.target + (clientY - y - top) / cell,
    };
  }

  /** Brings a place to the middle of what is in sight. */
  #moveTo({ source, target }: { source: number; target: number }): void {
    const { window } = this.#frame!;
    const by = (place: number, from: number): number => Math.round(place - window.size / 2 - from);
    this.#see(moveWindow(
      window,
      by(source, window.source),
      by(target, window.target),
      this.#picture!.matrix.positions,
    ));
  }

  #see(window: Window): void {
    this.zoom.follow(window);
    this.#draw(window);
  }

  #onKey(event: KeyboardEvent): void {
    if (!this.#picture || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.#picture.matrix.positions - 1;
    const from = this.#cell ?? { target: this.#target ?? last, source: 0 };
    const cell = this.#cell ? moved(from, event.key) : isMove(event.key) ? from : undefined;
    if (cell) {
      const target = Math.min(last, Math.max(0, cell.target));
      const next = { target, source: Math.min(target, Math.max(0, cell.source)) };
      this.#see(including(this.#frame!.window, next, last + 1));
      this.#point(next, "keyboard");
    } else if (this.zoom.onKey(event.key)) {
      // it is done
    } else if (event.key === "Escape") this.#point(undefined, "keyboard");
    else if ((event.key === "Enter" || event.key === " ") && this.#cell) {
      this.#events.choose(this.#cell.target);
    } else return;
    event.preventDefault();
  }
}

const MOVES: Record<string, (cell: Cell) => Cell> = {
  ArrowUp: ({ target, source }) => ({ target: Math.max(target - 1, source), source }),
  ArrowDown: ({ target, source }) => ({ target: target + 1, source }),
  ArrowLeft: ({ target, source }) => ({ target, source: source - 1 }),
  ArrowRight: ({ target, source }) => ({ target, source: source + 1 }),
  Home: ({ target }) => ({ target, source: 0 }),
  End: ({ target }) => ({ target, source: target }),
  PageUp: ({ target, source }) => ({ target: target - 10, source }),
  PageDown: ({ target, source }) => ({ target: target + 10, source }),
};

function isMove(key: string): boolean {
  return Object.hasOwn(MOVES, key);
}

function moved(cell: Cell, key: string): Cell | undefined {
  return isMove(key) ? MOVES[key]!(cell) : undefined;
}
