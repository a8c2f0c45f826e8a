import type { AddedToken } from "./added_tokens.ts";
import { inShape, shown } from "../errors.ts";
import { type Cut, gpt2Cut, preTokenizerOf } from "./cut.ts";
import { type Normalizer, normalizerOf } from "./normalize.ts";
import type { ReadText } from "./read_text.ts";
import { readTokenizerConfig, type TokenizerConfig } from "./tokenizer_config.ts";

/** A checkpoint's own tokenizer, as its files have it. */
export interface TokenizerFiles {
  /** Ids by spelling. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Pairs of spellings, the first to be merged first. */
  readonly merges: readonly (readonly [string, string])[];
  /** Tokens that stand for a text as a whole, beside those that are merged; special ones that the files name are too. */
  readonly added: readonly AddedToken[];
  readonly normalizer: Normalizer | undefined;
  readonly cut: Cut;
  readonly prefixSpace: boolean;
  /** Whether a piece that is a token is never merged. */
  readonly ignoreMerges: boolean;
  /** What stands for bytes that have no token, and whether one stands for several in a row. */
  readonly unknown: { readonly id: number; readonly isFused: boolean } | undefined;
  /** The token that the files name as BOS, null where they say that there is none, undefined where they say nothing. */
  readonly bosId: number | null | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/** What a class of GPT-2's calls BOS where no file does. */
const DEFAULT_BOS = "<|endoftext|>";
/** No model has more. */
const MOST_TOKENS = 2 ** 18;
/** Tables have a place for each id. */
const MOST_IDS = 2 ** 22;
/** Added tokens are looked for in every text. */
const MOST_ADDED = 2 ** 16;

/**
 * Reads `tokenizer.json`, or where there is none `vocab.json`, `merges.txt` and `added_tokens.json`; with them
 * `tokenizer_config.json` and `special_tokens_map.json`.
 *
 * @returns Undefined if there is no vocabulary.
 * @throws {SyntaxError} If one is not what it should be.
 * @throws {RangeError} If it wants something that Infoflow does not do; the text names it.
 */
export async function readTokenizerFiles(read: ReadText): Promise<TokenizerFiles | undefined> {
  const config = await readTokenizerConfig(read);
  const whole = await read("tokenizer.json");
  if (whole !== undefined) {
    const files = inShape(
      "tokenizer.json",
      () => parseTokenizer(parse("tokenizer.json", whole)),
    );
    return withConfig(files, config);
  }
  const [vocabulary, merges] = [
    await read("vocab.json"),
    await read("merges.txt"),
  ];
  if (vocabulary === undefined && merges === undefined) return undefined;
  if (vocabulary === undefined || merges === undefined) {
    throw new RangeError(
      refused("vocab.json", "it takes vocab.json and merges.txt, and one is missing"),
    );
  }
  const added = ids(
    "added_tokens.json",
    parse("added_tokens.json", await read("added_tokens.json") ?? "{}"),
  );
  return withConfig({
    vocabulary: ids("vocab.json", parse("vocab.json", vocabulary)),
    merges: merges.split("\n").filter((line) => line !== "" && !line.startsWith("#version"))
      .map((line) => pair("merges.txt", words(line.replace(/\r$/, "")))),
    added: Array.from(added, ([content, id]) => ({ content, id })),
    normalizer: undefined,
    cut: gpt2Cut,
    prefixSpace: false,
    ignoreMerges: false,
    unknown: undefined,
    bosId: undefined,
  }, config);
}

/** Adds what the tokenizer's config says to what its vocabulary does, as transformers puts them together. */
function withConfig(files: TokenizerFiles, config: TokenizerConfig): TokenizerFiles {
  const { vocabulary } = files;
  const byText = new Map<string, AddedToken>();
  const added: AddedToken[] = [];
  const add = (token: AddedToken): void => {
    added.push(token);
    if (!byText.has(token.content)) byText.set(token.content, token);
  };
  files.added.forEach(add);
  const idOf = (content: string): number | undefined =>
    byText.get(content)?.id ?? vocabulary.get(content);
  for (const token of config.added) if (!byText.has(token.content)) add(token);
  let next = 0;
  for (const id of vocabulary.values()) next = Math.max(next, id + 1);
  for (const { id } of added) next = Math.max(next, id + 1);
  for (const content of config.specials) {
    if (!byText.has(content)) add({ content, id: idOf(content) ?? next++ });
  }
  if (!added.every(({ id }) => isId(id))) throw misshapen("tokenizer_config.json");
  if (added.length > MOST_ADDED) {
    throw new RangeError(
      refused(
        "tokenizer.json, tokenizer_config.json and special_tokens_map.json",
        `they may add ${MOST_ADDED} tokens: current value is ${added.length}`,
      ),
    );
  }
  const isGpt2Class = config.tokenizerClass === undefined ||
    /^GPT2Tokenizer(Fast)?$/.test(config.tokenizerClass);
  const named = typeof config.bos === "string" ? idOf(config.bos) : config.bos;
  return {
    ...files,
    added,
    prefixSpace: isGpt2Class ? config.prefixSpace ?? false : files.prefixSpace,
    bosId: named !== undefined
      ? named
      : isGpt2Class
      ? idOf(DEFAULT_BOS) ?? files.bosId
      : files.bosId,
  };
}

function parseTokenizer(file: Json): TokenizerFiles {
  const name = "tokenizer.json";
  const { model, normalizer, pre_tokenizer, post_processor, added_tokens: added = [] } = file as {
    model?: Json;
    normalizer?: unknown;
    pre_tokenizer?: unknown;
    post_processor?: unknown;
    added_tokens?: Json[];
  };
  const expect = (what: string, value: unknown, ...allowed: unknown[]): void => {
    if (allowed.includes(value)) return;
    throw new RangeError(
      refused(
        name,
        `${what} must be ${JSON.stringify(allowed[0])}: current value is ${shown(value)}`,
      ),
    );
  };
  if (typeof model !== "object" || model === null) throw misshapen(name);
  // GPT-2's own file is older than the type; the merges tell.
  expect("model.type", model.type, "BPE", undefined);
  expect("model.dropout", model.dropout, null, undefined, 0);
  expect("model.continuing_subword_prefix", model.continuing_subword_prefix, null, undefined, "");
  expect("model.end_of_word_suffix", model.end_of_word_suffix, null, undefined, "");
  expect("model.byte_fallback", model.byte_fallback, false, undefined);
  if (!Array.isArray(added) || !Array.isArray(model.merges)) throw misshapen(name);
  const vocabulary = ids(name, model.vocab as Json);
  const areTokens = added.every(({ content, id }) =>
    typeof content === "string" && content !== "" && isId(id)
  );
  if (!areTokens) throw misshapen(name);
  const unknown = typeof model.unk_token === "string" ? vocabulary.get(model.unk_token) : undefined;
  return {
    vocabulary,
    merges: model.merges.map((merge) =>
      pair(name, typeof merge === "string" ? words(merge) : merge)
    ),
    added: added.map((token) => ({
      // Of two ids that a text has, transformers takes the vocabulary's.
      id: vocabulary.get(token.content as string) ?? token.id as number,
      content: token.content as string,
      lstrip: token.lstrip === true,
      rstrip: token.rstrip === true,
      singleWord: token.single_word === true,
      normalized: token.normalized === true,
    })),
    normalizer: normalizerOf(normalizer),
    ...preTokenizerOf(pre_tokenizer),
    ignoreMerges: model.ignore_merges === true,
    unknown: unknown === undefined ? undefined : { id: unknown, isFused: model.fuse_unk === true },
    bosId: templateBos(post_processor),
  };
}

/** The special token that a `TemplateProcessing` puts in front of a text. */
function templateBos(processor: unknown): number | undefined {
  const { type, processors, single, special_tokens: specials } = (processor ?? {}) as {
    type?: string;
    processors?: unknown[];
    single?: { SpecialToken?: { id?: string } }[];
    special_tokens?: Record<string, { ids?: number[] }>;
  };
  if (type === "Sequence") return processors?.map(templateBos).find((id) => id !== undefined);
  if (type !== "TemplateProcessing") return undefined;
  return specials?.[single?.[0]?.SpecialToken?.id ?? ""]?.ids?.[0];
}

function ids(name: string, vocabulary: Json): Map<string, number> {
  if (typeof vocabulary !== "object" || vocabulary === null) throw misshapen(name);
  const texts = Object.keys(vocabulary);
  if (texts.length > MOST_TOKENS) {
    throw new RangeError(
      refused(name, `it may have ${MOST_TOKENS} tokens: current value is ${texts.length}`),
    );
  }
  const ids = new Map<string, number>();
  for (const text of texts) {
    const id = vocabulary[text];
    if (text === "" || !isId(id)) throw misshapen(name);
    ids.set(text, id);
  }
  return ids;
}

function isId(id: unknown): id is number {
  return Number.isInteger(id) && (id as number) >= 0 && (id as number) < MOST_IDS;
}

/** Two spellings with a space between. */
function words(text: string): string[] {
  const at = text.indexOf(" ");
  return at === -1 || text.includes(" ", at + 1) ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function pair(name: string, parts: unknown): [string, string] {
  const isRight = Array.isArray(parts) && parts.length === 2 &&
    parts.every((part) => typeof part === "string" && part !== "");
  if (!isRight) throw misshapen(name);
  return parts as [string, string];
}

function misshapen(name: string): SyntaxError {
  return new SyntaxError(
    `Cannot read ${name} as it must hold tokens with their ids, and pairs that are merged`,
  );
}

function refused(name: string, reason: string): string {
  return `Cannot read prompts by ${name} as ${reason}`;
}

function parse(name: string, text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${name} as it is not JSON`, { cause });
  }
}
