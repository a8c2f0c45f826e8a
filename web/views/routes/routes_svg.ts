import type { RouteEdge, RouteGraph, RouteNode } from "../../../src/requests/route_graph.ts";
import { carriedBy } from "../../../src/requests/strongest_routes.ts";
import { svg } from "../../draw/elements.ts";
import { share } from "../../draw/format.ts";
import type { Theme } from "../../draw/theme.ts";
import { labelText } from "../../draw/token_label.ts";

/** The data of a picture of routes. */
export interface RoutesDrawing {
  readonly routes: RouteGraph;
  /** The labels of the positions, BOS first. */
  readonly tokens: readonly string[];
  readonly layers: number;
  readonly theme: Theme;
  readonly width: number;
}

interface Places {
  readonly x: (position: number) => number;
  /** After how many layers of the residual stream; halves are after attention. */
  readonly y: (layers: number) => number;
}

const LEFT = 62;
const RIGHT = 40;
const TOP = 16;
/** Below this width of a column its label is turned. */
const NARROW = 64;
/** The most heads that are named in the picture; all are when they are pointed at. */
const MOST_NAMES = 24;
/** Pixels between heads that go the same way. */
const FAN = 3;

/** Draws routes: positions from left to right, layers from the bottom up. Heads can be chosen, and so can places. */
export function drawRoutes({ routes, tokens, layers, theme, width }: RoutesDrawing): SVGSVGElement {
  const positions = [...new Set(routes.nodes.map(({ position }) => position))].sort((a, b) =>
    a - b
  );
  const column = Math.min(130, (width - LEFT - RIGHT) / positions.length);
  const isTurned = column < NARROW;
  const bottom = isTurned ? 96 : 44;
  const row = Math.max(26, Math.min(74, 720 / layers));
  const height = TOP + layers * row + bottom;
  const places: Places = {
    x: (position) => LEFT + (positions.indexOf(position) + 0.5) * column,
    y: (behind) => TOP + (layers - behind) * row,
  };
  const order = ["RESIDUAL", "MLP_RESIDUAL", "MLP", "HEAD"];
  const edges = routes.edges.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const carried = carriedBy(routes);
  // Of each head the edge that carries most has its name.
  const byHead = new Map<string, RouteEdge>();
  for (const edge of edges.filter(({ kind }) => kind === "HEAD")) {
    const known = byHead.get(`${edge.layer}.${edge.head}`);
    if (!known || carried(edge) > carried(known)) byHead.set(`${edge.layer}.${edge.head}`, edge);
  }
  const named = new Set(
    [...byHead.values()].sort((a, b) => carried(b) - carried(a)).slice(0, MOST_NAMES),
  );
  return svg(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      "font-family": theme.font,
      "font-size": 12,
      fill: theme.ink,
    },
    svg("title", {}, `Routes to ${labelText(tokens[routes.target]!)}`),
    svg("rect", { width, height, fill: theme.paper }),
    ...layerLines(layers, width, places, theme),
    ...edges.map((edge) =>
      drawEdge(edge, { places, tokens, theme, carried: carried(edge), isNamed: named.has(edge) })
    ),
    ...routes.nodes.filter(({ place }) => place === "STREAM").map((node) =>
      drawNode(node, places, tokens, theme)
    ),
    ...positions.map((position) => {
      const [x, y] = [places.x(position), height - bottom + 22];
      return svg("text", {
        ...isTurned
          ? { transform: `translate(${x + 4} ${y - 6}) rotate(-60)`, "text-anchor": "end" }
          : { x, y, "text-anchor": "middle" },
        "font-weight": position === routes.target ? 700 : 400,
      }, labelText(tokens[position]!, isTurned ? 14 : Math.floor(column / 7)));
    }),
  );
}

function layerLines(layers: number, width: number, { y }: Places, theme: Theme): SVGElement[] {
  const every = Math.ceil(layers / 24);
  return Array.from({ length: layers }, (_, layer) => layer).flatMap((layer) => [
    svg("line", {
      x1: LEFT - 8,
      x2: width,
      y1: y(layer),
      y2: y(layer),
      stroke: theme.faint,
      "stroke-opacity": 0.3,
    }),
    ...layer % every === 0
      ? [
        svg(
          "text",
          { x: 0, y: (y(layer) + y(layer + 1)) / 2 + 4, fill: theme.muted },
          `layer ${layer}`,
        ),
      ]
      : [],
  ]);
}

/** A sentence for an edge. */
function edgeSentence(edge: RouteEdge, tokens: readonly string[]): string {
  const { kind, layer, head, source, target, weight } = edge;
  const [to, from] = [labelText(tokens[target]!), labelText(tokens[source]!)];
  switch (kind) {
    case "HEAD":
      return `Layer ${layer}, head ${head}: ${to} takes ${share(weight)} from ${from}`;
    case "MLP":
      return `Layer ${layer}, MLP: ${share(weight)} of ${to}`;
    case "RESIDUAL":
      return `Layer ${layer}: ${to} keeps ${share(weight)} of itself past attention`;
    case "MLP_RESIDUAL":
      return `Layer ${layer}: ${to} keeps ${share(weight)} of itself past the MLP`;
  }
}

/** What tells an edge from all others of its routes. */
export function edgeKey({ layer, kind, head, source, target }: RouteEdge): string {
  return [layer, kind, head ?? "", source, target].join(" ");
}

function drawEdge(
  edge: RouteEdge,
  { places: { x, y }, tokens, theme, carried, isNamed }: {
    places: Places;
    tokens: readonly string[];
    theme: Theme;
    carried: number;
    isNamed: boolean;
  },
): SVGGElement {
  const { kind, layer, head, source, target } = edge;
  const isAbove = kind === "MLP" || kind === "MLP_RESIDUAL";
  const [x1, y1] = [x(source), y(layer + (isAbove ? 0.5 : 0))];
  const [x2, y2] = [x(target), y(layer + (isAbove ? 1 : 0.5))];
  // Heads of a layer between the same tokens go beside each other.
  const bow = kind === "MLP" ? 22 : kind === "HEAD" ? FAN * ((head! * 5) % 7 - 3) : 0;
  const middle = (y1 + y2) / 2 + (kind === "HEAD" ? bow / 2 : 0);
  const path = `M${x1},${y1}C${x1 + bow},${middle} ${x2 + bow},${middle} ${x2},${y2}`;
  const colours = theme.ramp.colours;
  const at = (share: number): string =>
    colours[Math.round((theme.isDark ? 1 - share : share) * (colours.length - 1))]!.formatHex();
  const stroke =
    { HEAD: at(0.55), MLP: at(0.25), RESIDUAL: theme.faint, MLP_RESIDUAL: theme.faint }[kind];
  const line = { d: path, fill: "none", "stroke-linecap": "round" };
  const sentence = edgeSentence(edge, tokens);
  const group = svg(
    "g",
    kind === "HEAD"
      ? {
        class: "edge",
        role: "button",
        tabindex: 0,
        "aria-label": isNamed ? `${layer}.${head}: ${sentence}` : sentence,
        "data-head": `${layer}.${head}`,
      }
      : { class: "edge" },
    svg("path", {
      ...line,
      stroke,
      "stroke-width": 0.7 + 8 * Math.sqrt(carried),
      "stroke-opacity": 0.85,
    }),
    svg("path", { ...line, stroke: "transparent", "stroke-width": 16, "pointer-events": "stroke" }),
  );
  group.dataset["says"] = sentence;
  group.dataset["edge"] = edgeKey(edge);
  if (isNamed) {
    group.append(svg("text", {
      x: (x1 + x2) / 2 + 6,
      y: middle + 4,
      "font-size": 11,
      "font-weight": 600,
      stroke: theme.paper,
      "stroke-width": 3,
      "paint-order": "stroke",
    }, `${layer}.${head}`));
  }
  return group;
}

function drawNode(
  { layer, position, share: through }: RouteNode,
  { x, y }: Places,
  tokens: readonly string[],
  theme: Theme,
): SVGGElement {
  const name = labelText(tokens[position]!);
  const sentence = `${name} after ${layer} layers: ${share(through)} comes through here`;
  const group = svg(
    "g",
    { class: "node", "data-position": position },
    svg("circle", {
      cx: x(position),
      cy: y(layer),
      r: 3.5 + 5 * Math.sqrt(through),
      fill: theme.ink,
      stroke: theme.paper,
      "stroke-width": 2,
    }),
  );
  group.dataset["says"] = sentence;
  return group;
}
