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

/** How the server reads a prompt, known before anything is computed. */
export interface Reading {
  readonly model: ModelCard;
  readonly device: { readonly description: string; readonly isFallback: boolean };
  /** BOS first. */
  readonly tokens: readonly TokenSpan[];
}

const QUERY = `query Reading($prompt: String!) {
  model { name layers heads context }
  device { description isFallback }
  tokens(prompt: $prompt) { text start end }
}`;

/**
 * Asks how a prompt is read.
 *
 * @throws {Failure} If it can't be, or the server does not answer.
 */
export function readPrompt(prompt: string, signal: AbortSignal): Promise<Reading> {
  return askGraphQL<Reading>(QUERY, { prompt }, signal);
}
