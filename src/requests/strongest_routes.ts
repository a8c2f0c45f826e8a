import TinyQueue from "tinyqueue";
import type { RouteEdge, RouteGraph, RouteNode } from "./route_graph.ts";

/** An edge that leads to what is reached. */
interface Open {
  readonly edge: RouteEdge;
  readonly carries: number;
  readonly found: number;
}

/** The share of the target that comes along an edge: the edge's share of what comes through the place it leads to. */
export function carriedBy({ nodes }: Pick<RouteGraph, "nodes">): (edge: RouteEdge) => number {
  const shares = new Map(nodes.map((node) => [nameOf(node), node.share]));
  return (edge) => edge.weight * (shares.get(endOf(edge)) ?? 0);
}

/**
 * The edges that carry most, followed from the target down, so that each of them leads somewhere: of those that lead to
 * a place that is reached, always the one that carries most is next.
 *
 * @param count How many of them.
 */
export function strongestRoutes(graph: RouteGraph, count: number): RouteGraph {
  const { nodes, edges } = graph;
  if (edges.length <= count) return graph;
  const carried = carriedBy(graph);
  const leadingTo = Map.groupBy(edges, endOf);
  const top = nodes.reduce((most, { layer }) => Math.max(most, layer), 0);
  const reached = new Set<string>();
  const kept = new Set<RouteEdge>();
  // Of edges that carry as much, the one that was found last is first.
  const open = new TinyQueue<Open>([], (a, b) => b.carries - a.carries || b.found - a.found);
  let found = 0;
  const reach = (place: string): void => {
    if (reached.has(place)) return;
    reached.add(place);
    for (const edge of leadingTo.get(place) ?? []) {
      open.push({ edge, carries: carried(edge), found: found++ });
    }
  };
  reach(nameOf({ layer: top, place: "STREAM", position: graph.target }));
  while (kept.size < count && open.length > 0) {
    const { edge } = open.pop()!;
    kept.add(edge);
    reach(startOf(edge));
    if (edge.kind === "MLP") {
      reached.add(nameOf({ layer: edge.layer, place: "MLP", position: edge.source }));
    }
  }
  return {
    target: graph.target,
    nodes: nodes.filter((node) => reached.has(nameOf(node))),
    edges: edges.filter((edge) => kept.has(edge)),
  };
}

/** The edges of the strongest way through an edge: from the target down to it, and on from there. */
export function wayThrough(graph: RouteGraph, edge: RouteEdge): ReadonlySet<RouteEdge> {
  const carried = carriedBy(graph);
  const strongest = (edges: readonly RouteEdge[]): RouteEdge | undefined =>
    edges.toSorted((a, b) => carried(b) - carried(a))[0];
  const way = new Set([edge]);
  const follow = (from: RouteEdge, next: (edge: RouteEdge) => RouteEdge | undefined): void => {
    for (let at = next(from); at && !way.has(at); at = next(at)) way.add(at);
  };
  follow(edge, (at) => strongest(graph.edges.filter((other) => startOf(other) === endOf(at))));
  follow(edge, (at) => strongest(graph.edges.filter((other) => endOf(other) === startOf(at))));
  return way;
}

function nameOf({ layer, place, position }: Omit<RouteNode, "share">): string {
  return `${layer} ${place} ${position}`;
}

/** An MLP and what passes it lead from between attention and MLP to the layer above, heads and what passes them to there. */
function endOf({ layer, kind, target }: RouteEdge): string {
  const isAbove = kind === "MLP" || kind === "MLP_RESIDUAL";
  return isAbove ? `${layer + 1} STREAM ${target}` : `${layer} MIDDLE ${target}`;
}

function startOf({ layer, kind, source }: RouteEdge): string {
  const isAbove = kind === "MLP" || kind === "MLP_RESIDUAL";
  return isAbove ? `${layer} MIDDLE ${source}` : `${layer} STREAM ${source}`;
}
