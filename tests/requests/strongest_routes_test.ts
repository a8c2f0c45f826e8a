import assert from "node:assert/strict";
import type { RouteEdge, RouteGraph, RouteNode } from "../../src/requests/route_graph.ts";
import { carriedBy, strongestRoutes, wayThrough } from "../../src/requests/strongest_routes.ts";

const node = (layer: number, place: RouteNode["place"], position: number, share: number) => ({
  layer,
  place,
  position,
  share,
});
const edge = (
  kind: RouteEdge["kind"],
  [source, target]: [number, number],
  weight: number,
  head: number | null = null,
): RouteEdge => ({ layer: 0, kind, head, source, target, weight });

/** One layer, three tokens: the last takes from the first by head 1, from the second by head 0. */
const GRAPH: RouteGraph = {
  target: 2,
  nodes: [
    node(1, "STREAM", 2, 1),
    node(0, "MLP", 2, 0.3),
    node(0, "MIDDLE", 2, 1),
    node(0, "STREAM", 2, 0.5),
    node(0, "STREAM", 1, 0.1),
    node(0, "STREAM", 0, 0.4),
  ],
  edges: [
    edge("MLP_RESIDUAL", [2, 2], 0.7),
    edge("MLP", [2, 2], 0.3),
    edge("RESIDUAL", [2, 2], 0.5),
    edge("HEAD", [1, 2], 0.1, 0),
    edge("HEAD", [0, 2], 0.4, 1),
  ],
};

Deno.test("the strongest routes are connected, and carry most", () => {
  const kinds = (count: number): string[] =>
    strongestRoutes(GRAPH, count).edges.map(({ kind, head }) => `${kind} ${head ?? ""}`.trim());
  assert.deepEqual(kinds(1), ["MLP_RESIDUAL"]);
  assert.deepEqual(kinds(3), ["MLP_RESIDUAL", "RESIDUAL", "HEAD 1"]);
  assert.deepEqual(kinds(4), ["MLP_RESIDUAL", "MLP", "RESIDUAL", "HEAD 1"]);
  assert.equal(strongestRoutes(GRAPH, 5), GRAPH);
  const places = strongestRoutes(GRAPH, 3).nodes.map(({ place, position }) => place + position);
  assert.deepEqual(places, ["STREAM2", "MIDDLE2", "STREAM2", "STREAM0"]);
});

Deno.test("an edge carries its share of what comes through the place that it leads to", () => {
  const carried = carriedBy(GRAPH);
  assert.deepEqual(GRAPH.edges.map(carried), [0.7, 0.3, 0.5, 0.1, 0.4]);
});

Deno.test("the way through an edge goes up to the target and down to the embeddings", () => {
  const way = wayThrough(GRAPH, GRAPH.edges[4]!);
  assert.deepEqual([...way], [GRAPH.edges[4], GRAPH.edges[0]]);
});
