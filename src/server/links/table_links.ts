import type { LoadedModel } from "../answers/info_flow.ts";
import { pickModel } from "../answers/pick_model.ts";
import { Attribution } from "../answers/attribution.ts";
import { HeadScores } from "../answers/head_scores.ts";
import { LogitLens } from "../answers/logit_lens.ts";
import { NextTokens } from "../answers/next_tokens.ts";
import type { Answered } from "../../requests/questions.ts";
import { RouteGraphAnswer } from "../answers/routes.ts";
import type { TableAnswer } from "../answers/table_answer.ts";
import { Query } from "./query.ts";

/** As in `schema.graphql`. */
const DEFAULT_THRESHOLD = 0.04;

/** What a link asks for, by its path; the parameters are those of the GraphQL field. */
export const TABLES: Readonly<
  Record<string, (models: readonly LoadedModel[], search: string) => TableAnswer<Answered>>
> = {
  "/next-tokens.arrow": (models, search) => {
    const query = new Query(search, ["prompt", "model", "k", "ablate"]);
    const options = { k: query.integer("k") ?? 10, ablate: query.heads("ablate") };
    return new NextTokens(askedModel(models, query), query.text("prompt"), options);
  },
  "/logit-lens.arrow": (models, search) => {
    const query = new Query(search, ["prompt", "model", "k"]);
    return new LogitLens(askedModel(models, query), query.text("prompt"), {
      k: query.integer("k") ?? 5,
    });
  },
  "/attribution.arrow": (models, search) => {
    const query = new Query(search, ["prompt", "model", "token"]);
    return new Attribution(askedModel(models, query), query.text("prompt"), {
      token: query.integer("token"),
    });
  },
  "/head-scores.arrow": (models, search) => {
    const query = new Query(search, ["prompt", "model"]);
    return new HeadScores(askedModel(models, query), query.text("prompt"));
  },
  "/routes.arrow": (models, search) => {
    const query = new Query(search, ["prompt", "model", "target", "threshold"]);
    return new RouteGraphAnswer(askedModel(models, query), query.text("prompt"), {
      target: query.integer("target"),
      threshold: query.number("threshold") ?? DEFAULT_THRESHOLD,
    });
  },
};

function askedModel(models: readonly LoadedModel[], query: Query): LoadedModel {
  return pickModel(models, query.text("model") || undefined);
}
