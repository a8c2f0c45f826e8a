import type { Question } from "../../server/answers.ts";
import { askGraphQL } from "../../server/graphql.ts";

/** What carries along an edge, as in the API. */
export type RouteKind = "HEAD" | "RESIDUAL" | "MLP" | "MLP_RESIDUAL";

/** What carries from a place to the next above it. */
export interface RouteEdge {
  readonly layer: number;
  readonly kind: RouteKind;
  readonly head: number | null;
  readonly source: number;
  readonly target: number;
  /** The share of the sum that it is a part of. */
  readonly weight: number;
}

/** A place that routes come through. */
export interface RouteNode {
  readonly layer: number;
  readonly place: "STREAM" | "MIDDLE" | "MLP";
  readonly position: number;
  /** The share of the target that comes through here. */
  readonly share: number;
}

/** What carries the prediction at one target; positions count from BOS. */
export interface Routes {
  readonly target: number;
  readonly nodes: readonly RouteNode[];
  readonly edges: readonly RouteEdge[];
}

/** The share of the target that comes along an edge: the edge's share of what comes through the place it leads to. */
export function carriedBy({ nodes }: Pick<Routes, "nodes">): (edge: RouteEdge) => number {
  const shares = new Map(nodes.map(({ layer, place, position, share }) => [
    `${layer} ${place} ${position}`,
    share,
  ]));
  return ({ layer, kind, target, weight }) => {
    const isAbove = kind === "MLP" || kind === "MLP_RESIDUAL";
    const place = isAbove ? `${layer + 1} STREAM ${target}` : `${layer} MIDDLE ${target}`;
    return weight * (shares.get(place) ?? 0);
  };
}

const QUERY =
  `query Routes($prompt: String!, $model: String, $bos: BosPolicy, $target: Int, $threshold: Float!) {
  routes(prompt: $prompt, model: $model, bos: $bos, target: $target, threshold: $threshold) {
    target
    nodes { layer place position share }
    edges { layer kind head source target weight }
  }
}`;

/** Asks for the routes to a target, counted from BOS; to the last token if none is given. */
export function routesOf(args: RoutesArguments): Question<Routes> {
  return {
    key: `routes ${JSON.stringify(args)}`,
    fetch: async (signal) =>
      (await askGraphQL<{ routes: Routes }>(QUERY, { ...args }, signal)).routes,
  };
}

/** What is asked of routes. */
export interface RoutesArguments {
  readonly prompt: string;
  readonly model: string | undefined;
  readonly bos: "NONE" | undefined;
  readonly target: number | undefined;
  readonly threshold: number;
}
