import { html } from "../../draw/elements.ts";
import { count, share } from "../../draw/format.ts";
import type { RouteEdge, RouteGraph } from "../../../src/requests/route_graph.ts";
import { drawRoutes, edgeKey } from "./routes_svg.ts";
import type { Theme } from "../../draw/theme.ts";
import { carriedBy, wayThrough } from "../../../src/requests/strongest_routes.ts";
import { tokenOf } from "../../widgets/details.ts";
import type { Tip } from "../../widgets/tip.ts";

/** What the picture of routes shows. */
export interface RoutesPicture {
  readonly routes: RouteGraph;
  /** The labels of the positions, BOS first. */
  readonly tokens: readonly string[];
  readonly layers: number;
  readonly theme: Theme;
}

/** Called when the user chooses a head or a place. */
export interface RoutesEvents {
  head(layer: number, head: number): void;
  /** A position, 0 for BOS. */
  target(position: number): void;
}

/** The routes to one target, as a graph whose heads and places can be clicked. */
export class RoutesGraph {
  readonly #element: HTMLElement;
  #picture: RoutesPicture | undefined;

  constructor(element: HTMLElement, tip: Tip, events: RoutesEvents) {
    this.#element = element;
    const choose = (target: EventTarget | null): void => {
      const chosen = target instanceof Element ? target.closest<SVGElement>(".edge, .node") : null;
      const { head, position } = chosen?.dataset ?? {};
      if (head !== undefined) {
        const [layer, index] = head.split(".").map(Number);
        events.head(layer!, index!);
      } else if (position !== undefined) events.target(Number(position));
    };
    element.addEventListener("click", ({ target }) => choose(target));
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(event.target);
    });
    element.addEventListener("pointermove", ({ target, pageX, pageY }) => {
      const says = target instanceof Element
        ? target.closest<SVGElement>("[data-says]")?.dataset["says"]
        : undefined;
      if (says) tip.show([says], { x: pageX, y: pageY });
      else tip.hide();
    });
    element.addEventListener("pointerleave", () => tip.hide());
    new ResizeObserver(() => this.#picture && this.#draw(this.#picture)).observe(element);
  }

  /** Draws routes in place of those before them. */
  show(picture: RoutesPicture): void {
    this.#picture = picture;
    this.#draw(picture);
  }

  /** Lights the strongest way through an edge, and dims all others; without one, nothing is dimmed. */
  light(edge?: RouteEdge): void {
    const way = edge && this.#picture
      ? new Set([...wayThrough(this.#picture.routes, edge)].map(edgeKey))
      : undefined;
    for (const drawn of this.#element.querySelectorAll<SVGElement>(".edge")) {
      drawn.classList.toggle("dim", way !== undefined && !way.has(drawn.dataset["edge"]!));
    }
  }

  #draw(picture: RoutesPicture): void {
    const width = this.#element.clientWidth;
    if (width > 0) this.#element.replaceChildren(drawRoutes({ ...picture, width }));
  }
}

const MOST_ROWS = 10;

/** Draws the table of the strongest heads of some routes. */
export function drawRouteDetails(
  element: HTMLElement,
  { routes, tokens }: RoutesPicture,
  light: (edge?: RouteEdge) => void,
): void {
  const carried = carriedBy(routes);
  const heads = routes.edges.filter(({ kind }) => kind === "HEAD")
    .toSorted((a, b) => carried(b) - carried(a));
  const column = (text: string, isNumber = false): HTMLElement =>
    html("th", { scope: "col", ...isNumber ? { class: "number" } : {} }, text);
  const rows = heads.slice(0, MOST_ROWS).map((edge) => {
    const { layer, head, source, target } = edge;
    const name = html("button", { type: "button", class: "lights" }, `${layer}.${head}`);
    name.addEventListener("focus", () => light(edge));
    name.addEventListener("blur", () => light());
    const row = html(
      "tr",
      {},
      html("th", { scope: "row" }, name),
      html("td", {}, tokenOf(tokens[source]!), " → ", tokenOf(tokens[target]!)),
      html("td", { class: "number" }, share(carried(edge))),
    );
    row.addEventListener("pointerenter", () => light(edge));
    row.addEventListener("pointerleave", () => light());
    return row;
  });
  element.replaceChildren(
    html(
      "table",
      {},
      html("caption", {}, "Heads on the routes to ", tokenOf(tokens[routes.target]!)),
      html(
        "thead",
        {},
        html("tr", {}, column("Head"), column("Carries"), column("Of the target", true)),
      ),
      html("tbody", {}, ...rows),
    ),
    html(
      "p",
      { class: "note" },
      heads.length === 0
        ? "No head carries that much: show more edges, or try a lower threshold."
        : `${count(heads.length)} of ${
          count(routes.edges.length)
        } edges are heads. Lines between tokens are heads, ` +
          "bows are MLPs, grey is what is kept; the thicker, the more of the target comes that way. " +
          "Point at a row to highlight its route. Click a head to see its pattern, or a place to follow the routes from there.",
    ),
  );
}
