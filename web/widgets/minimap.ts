import { html, svg } from "../draw/elements.ts";
import type { Window } from "../draw/window.ts";

const SIDE = 96;

/** The whole of a matrix, small, with what is in sight of it; a pointer on it moves that. */
export class Minimap {
  readonly element = html("div", { class: "minimap", hidden: "", "aria-hidden": "true" });
  readonly #canvas = html("canvas", { width: SIDE, height: SIDE });
  readonly #frame = svg("rect", { fill: "none", "stroke-width": 2 });
  #positions = 1;

  /** @param move Told of the place that the window's middle should come to. */
  constructor(move: (place: { source: number; target: number }) => void) {
    this.element.append(
      this.#canvas,
      svg("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, width: SIDE, height: SIDE }, this.#frame),
    );
    const onPointer = (event: PointerEvent): void => {
      event.stopPropagation();
      if (event.buttons === 0) return;
      const { x, y, width } = this.element.getBoundingClientRect();
      const scale = this.#positions / width;
      move({ source: (event.clientX - x) * scale, target: (event.clientY - y) * scale });
    };
    this.element.addEventListener("pointerdown", onPointer);
    this.element.addEventListener("pointermove", onPointer);
    this.element.addEventListener("click", (event) => event.stopPropagation());
  }

  /** Shows what of a raster is in sight; nothing where that is all. */
  show(raster: HTMLCanvasElement, { source, target, size }: Window, ink: string): void {
    const positions = this.#positions = raster.width;
    this.element.hidden = size === positions;
    if (this.element.hidden) return;
    const context = this.#canvas.getContext("2d")!;
    context.clearRect(0, 0, SIDE, SIDE);
    context.drawImage(raster, 0, 0, SIDE, SIDE);
    const scale = SIDE / positions;
    const place = {
      x: source * scale,
      y: target * scale,
      width: size * scale,
      height: size * scale,
    };
    for (const [name, value] of Object.entries({ ...place, stroke: ink })) {
      this.#frame.setAttribute(name, String(value));
    }
  }
}
