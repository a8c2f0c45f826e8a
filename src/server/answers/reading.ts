import { InfoflowError } from "../../errors.ts";
import type { BosPolicy } from "../../requests/flow_options.ts";
import { type Token, tokenize, tokenText, tooLong } from "../../tokens/tokenize.ts";
import { GPT2_TOKENIZER, type Tokenizer } from "../../tokens/tokenizer.ts";
import { traced } from "../observe/trace.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { pickModel } from "./pick_model.ts";

/** The prompt: a text, or token ids. */
export interface ReadingSource {
  readonly prompt?: string | null | undefined;
  /** Token ids, to which no BOS is added. */
  readonly ids?: readonly number[] | null | undefined;
  /** Whether special tokens written in the prompt are read as tokens. */
  readonly specialTokens?: boolean | null | undefined;
  /** NONE adds no BOS. */
  readonly bos?: BosPolicy | null | undefined;
}

/** The arguments that name a prompt and a model. */
export interface ReadingArguments extends ReadingSource {
  /** A name of a model; by default the first. */
  readonly model?: string | null | undefined;
}

/** A tokenized prompt and its model. */
export interface Reading {
  readonly model: LoadedModel;
  /** The prompt's arguments, as a link has them. */
  readonly source: ReadingSource;
  /** The text; null if token ids were given. */
  readonly prompt: string | null;
  /** All tokens, BOS first if there is one. */
  readonly tokens: readonly Token[];
  /** Their numbers in the vocabulary. */
  readonly ids: readonly number[];
  /** Whether the first token is BOS. */
  readonly hasBos: boolean;
}

/**
 * Tokenizes a prompt for a model, if there is room for another question.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if there is no such model, for a lone surrogate, an id that is no token's, or
 *   a prompt and ids together; OVERLOADED; PROMPT_EMPTY; PROMPT_TOO_LONG.
 */
export function read(
  models: readonly LoadedModel[],
  { model: name, ...source }: ReadingArguments,
): Reading {
  return readBy(pickModel(models, name), source);
}

/**
 * Tokenizes a prompt for one model.
 *
 * @throws As {@linkcode read} does.
 */
export function readBy(model: LoadedModel, source: ReadingSource): Reading {
  const { engine, tokenizer = GPT2_TOKENIZER } = model;
  const { prompt, ids, specialTokens, bos } = source;
  engine.admit(); // so that no text is tokenized for a request that will be refused
  if (typeof prompt === "string" && ids) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      "Cannot read a prompt and ids at once: give one of them",
    );
  }
  const { context: limit, vocabulary } = engine.info.architecture;
  const tokens = ids
    ? tokensOf(ids, { limit, tokenizer })
    : traced("tokenise", () =>
      tokenize(prompt ?? "", {
        limit,
        tokenizer,
        withBos: bos !== "NONE",
        specialTokens: specialTokens ?? false,
      }));
  const wrong = tokens.find(({ id }) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (wrong) throw noRow(wrong, vocabulary);
  return {
    model,
    source: {
      ...(ids ? { ids } : { prompt: prompt ?? "" }),
      ...(specialTokens && !ids && { specialTokens }),
      ...(bos === "NONE" && { bos }),
    },
    prompt: ids ? null : prompt ?? "",
    tokens,
    ids: tokens.map(({ id }) => id),
    hasBos: tokens[0]?.id === tokenizer.bos?.id && bos !== "NONE",
  };
}

/** Tokens by their ids. Their positions in the text are those in the concatenation of their texts, without BOS. */
function tokensOf(
  ids: readonly number[],
  { limit, tokenizer }: { readonly limit: number; readonly tokenizer: Tokenizer },
): Token[] {
  if (ids.length === 0) {
    throw new InfoflowError("PROMPT_EMPTY", "Cannot run an empty prompt: ids must name a token");
  }
  if (ids.length > limit) throw tooLong(ids.length.toLocaleString("en"), ids.length, limit);
  let at = 0;
  return ids.map((id, index) => {
    const text = tokenText(id, tokenizer);
    const start = at;
    if (index > 0 || id !== tokenizer.bos?.id) at += text.length;
    return { index, id, text, start, end: at };
  });
}

function noRow({ id, text }: Token, vocabulary: number): InfoflowError {
  return new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot run the prompt as the model has tokens 0 to ${vocabulary - 1}: current value is ${id}` +
      (text === `[${id}]` ? "" : `, ${JSON.stringify(text)}`),
    { min: 0, max: vocabulary - 1 },
  );
}

/** The tokenizer of a reading's model. */
export function tokenizerOf({ model }: Reading): Tokenizer {
  return model.tokenizer ?? GPT2_TOKENIZER;
}

/** The text that is shown for a token of the vocabulary. */
export function textOf(reading: Reading, id: number): string {
  return tokenText(id, tokenizerOf(reading));
}
