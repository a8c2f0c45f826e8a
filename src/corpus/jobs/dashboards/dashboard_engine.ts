import type { Questions } from "../../../engine/analyses/list.ts";
import type { FeatureTablesFound } from "../../../requests/sae/feature_questions.ts";
import type { LoadedModel } from "../../../server/answers/loaded_model.ts";
import { readBy } from "../../../server/answers/reading.ts";
import { findSae } from "../../../server/answers/sae.ts";
import type { RowPrompt } from "../../../server/batch/prompt_column.ts";
import { tokenText } from "../../../tokens/tokenize.ts";
import { GPT2_TOKENIZER } from "../../../tokens/tokenizer.ts";
import type { ExamplePrompt } from "../statistics_table.ts";

/** Reads prompts and finds their features. */
export interface DashboardEngine {
  /** How many features there are. */
  readonly features: number;
  /** Whether the first token of a prompt is BOS, which is counted nowhere. */
  readonly bosId: number | undefined;
  /**
   * Reads a prompt.
   *
   * @throws {InfoflowError} Why it is refused.
   */
  read(prompt: NonNullable<RowPrompt>): Omit<ExamplePrompt, "row">;
  /** The features of some prompts. */
  find(
    prompts: readonly (readonly number[])[],
  ): Promise<Omit<Questions["featureBatch"]["result"], "cacheHit">>;
  /** What is known of each feature without a corpus, with `k` entries in each list; and the texts of tokens. */
  tables(k: number): Promise<FeatureTablesFound>;
  textOf(id: number): string;
}

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
