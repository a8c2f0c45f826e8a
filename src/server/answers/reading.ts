import { type Token, tokenize, tokenText } from "../../tokens/tokenize.ts";
import { GPT2_TOKENIZER, type Tokenizer } from "../../tokens/tokenizer.ts";
import { traced } from "../observe/trace.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { pickModel } from "./pick_model.ts";

/** The arguments that say what is read, and by which model. */
export interface ReadingArguments {
  readonly prompt: string;
  /** A name of a model; the first one where there is none. */
  readonly model?: string | null | undefined;
}

/** A prompt as a model reads it. It is made once for each question. */
export interface Reading {
  readonly model: LoadedModel;
  readonly prompt: string;
  /** The prompt's tokens, BOS first. */
  readonly tokens: readonly Token[];
  /** Their numbers in the vocabulary. */
  readonly ids: readonly number[];
}

/**
 * Has a model read a prompt, if there is room for another question.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if there is no such model, or for a lone surrogate; OVERLOADED; PROMPT_EMPTY;
 *   PROMPT_TOO_LONG.
 */
export function read(
  models: readonly LoadedModel[],
  { prompt, model: name }: ReadingArguments,
): Reading {
  const model = pickModel(models, name);
  const { engine, tokenizer } = model;
  engine.admit(); // no work for what will be refused
  const { context } = engine.info.architecture;
  const tokens = traced("tokenise", () => tokenize(prompt, { limit: context, tokenizer }));
  return { model, prompt, tokens, ids: tokens.map(({ id }) => id) };
}

/** How the model of a reading reads text. */
export function tokenizerOf({ model }: Reading): Tokenizer {
  return model.tokenizer ?? GPT2_TOKENIZER;
}

/** What a person reads for a token of the vocabulary. */
export function textOf(reading: Reading, id: number): string {
  return tokenText(id, tokenizerOf(reading));
}
