import type { BosPolicy } from "../../src/requests/flow_options.ts";
import type { Question } from "./answers.ts";
import { askGraphQL } from "./graphql.ts";

/** A token of the prompt and where it stands in it. */
export interface TokenSpan {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The model that answers. */
export interface ModelCard {
  readonly name: string;
  readonly layers: number;
  readonly heads: number;
  /** The most tokens, BOS among them. */
  readonly context: number;
}

/** What can be asked, and what it runs on. */
export interface ServerCard {
  /** The default one first. */
  readonly models: readonly ModelCard[];
  readonly device: { readonly description: string; readonly isFallback: boolean };
}

/** How a model reads a prompt, known before anything is computed. */
export interface Reading {
  readonly model: ModelCard;
  /** BOS first. */
  readonly tokens: readonly TokenSpan[];
}

const SERVER = `query Server {
  models { name layers heads context }
  device { description isFallback }
}`;

const TOKENS = `query Tokens($prompt: String!, $model: String, $bos: BosPolicy) {
  tokens(prompt: $prompt, model: $model, bos: $bos) { text start end }
}`;

/** Asks what there is to ask. */
export const serverQuestion: Question<ServerCard> = {
  key: "server",
  fetch: (signal) => askGraphQL<ServerCard>(SERVER, {}, signal),
};

/** Asks how a prompt is read. */
export function tokensOf(
  prompt: string,
  model: string | undefined,
  bos?: BosPolicy,
): Question<readonly TokenSpan[]> {
  return {
    key: `tokens ${JSON.stringify([prompt, model, bos])}`,
    fetch: async (signal) =>
      (await askGraphQL<Pick<Reading, "tokens">>(TOKENS, { prompt, model, bos }, signal)).tokens,
  };
}
