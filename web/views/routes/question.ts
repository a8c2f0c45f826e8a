import type { RouteGraph } from "../../../src/requests/route_graph.ts";
import type { Question } from "../../server/answers.ts";
import { askGraphQL } from "../../server/graphql.ts";

const QUERY =
  `query Routes($prompt: String!, $model: String, $bos: BosPolicy, $target: Int, $threshold: Float!) {
  routes(prompt: $prompt, model: $model, bos: $bos, target: $target, threshold: $threshold) {
    target
    nodes { layer place position share }
    edges { layer kind head source target weight }
  }
}`;

/** Asks for the routes to a target, counted from BOS; to the last token if none is given. */
export function routesOf(args: RoutesArguments): Question<RouteGraph> {
  return {
    key: `routes ${JSON.stringify(args)}`,
    fetch: async (signal) =>
      (await askGraphQL<{ routes: RouteGraph }>(QUERY, { ...args }, signal)).routes,
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
