import type { LoadedModel } from "../infoflow.ts";
import { Attribution } from "../questions/attribution.ts";
import { HeadScores } from "../questions/head_scores.ts";
import { LogitLens } from "../questions/logit_lens.ts";
import { NextTokens } from "../questions/next_tokens.ts";
import type { Answered } from "../questions/question.ts";
import { RouteGraphAnswer } from "../questions/route_graph.ts";
import type { TableAnswer } from "../questions/table_answer.ts";
import { Query } from "./query.ts";

/** As in `schema.graphql`. */
const DEFAULT_THRESHOLD = 0.04;

/** What a link asks for, by its path; the parameters are those of the GraphQL field. */
export const TABLES: Readonly<
  Record<string, (model: LoadedModel, search: string) => TableAnswer<Answered>>
> = {
  "/next-tokens.arrow": (model, search) => {
    const query = new Query(search, ["prompt", "k", "ablate"]);
    const options = { k: query.integer("k") ?? 10, ablate: query.heads("ablate") };
    return new NextTokens(model, query.text("prompt"), options);
  },
  "/logit-lens.arrow": (model, search) => {
    const query = new Query(search, ["prompt", "k"]);
    return new LogitLens(model, query.text("prompt"), { k: query.integer("k") ?? 5 });
  },
  "/attribution.arrow": (model, search) => {
    const query = new Query(search, ["prompt", "token"]);
    return new Attribution(model, query.text("prompt"), { token: query.integer("token") });
  },
  "/head-scores.arrow": (model, search) => {
    const query = new Query(search, ["prompt"]);
    return new HeadScores(model, query.text("prompt"));
  },
  "/routes.arrow": (model, search) => {
    const query = new Query(search, ["prompt", "target", "threshold"]);
    return new RouteGraphAnswer(model, query.text("prompt"), {
      target: query.integer("target"),
      threshold: query.number("threshold") ?? DEFAULT_THRESHOLD,
    });
  },
};
