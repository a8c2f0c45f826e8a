import type { LoadedModel } from "../infoflow.ts";
import { LogitLens } from "../questions/logit_lens.ts";
import { NextTokens } from "../questions/next_tokens.ts";
import type { Answered } from "../questions/question.ts";
import type { TableAnswer } from "../questions/table_answer.ts";
import { Query } from "./query.ts";

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
};
