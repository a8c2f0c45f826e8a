import type { LoadedModel } from "../../../server/answers/loaded_model.ts";
import { readBy } from "../../../server/answers/reading.ts";
import { findSae } from "../../../server/answers/sae.ts";
import { tokenText } from "../../../tokens/tokenize.ts";
import { GPT2_TOKENIZER } from "../../../tokens/tokenizer.ts";
import type { DashboardEngine } from "./dashboards_job.ts";

/**
 * A model that reads prompts and finds the features of one of its autoencoders.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if it has none of that name.
 */
export function dashboardEngine(model: LoadedModel, sae: string): DashboardEngine {
  const { features } = findSae(model, sae);
  const { engine, tokenizer = GPT2_TOKENIZER } = model;
  return {
    features,
    bosId: tokenizer.bos?.id,
    read: (row) => {
      const { prompt, ids, tokens } = readBy(model, row);
      return { prompt, ids, tokens: tokens.map(({ text }) => text) };
    },
    find: async (prompts) =>
      await engine.ask("featureBatch", {
        ids: prompts.flat(),
        lengths: prompts.map(({ length }) => length),
        sae,
      }),
    tables: async (k) => await engine.ask("featureTables", { ids: [0], sae, k }),
    textOf: (id) => tokenText(id, tokenizer),
  };
}
