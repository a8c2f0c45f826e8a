import { join } from "node:path";
import { readIfThere } from "../files.ts";

/** A checkpoint's own tokenizer, as its files have it. */
export interface TokenizerFiles {
  /** Ids by spelling. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Pairs of spellings, the first to be merged first. */
  readonly merges: readonly (readonly [string, string])[];
  /** Tokens that stand for a text as a whole, beside those that are merged. */
  readonly added: ReadonlyMap<string, number>;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads `tokenizer.json`, or where there is none `vocab.json`, `merges.txt` and `added_tokens.json`.
 *
 * @returns Undefined if the directory has none of them.
 * @throws {SyntaxError} If one is not what it should be.
 * @throws {RangeError} If it wants something that Infoflow does not do; the text names it.
 */
export async function readTokenizerFiles(directory: string): Promise<TokenizerFiles | undefined> {
  const whole = await read(directory, "tokenizer.json");
  if (whole !== undefined) return parseTokenizer(parse("tokenizer.json", whole));
  const [vocabulary, merges] = [
    await read(directory, "vocab.json"),
    await read(directory, "merges.txt"),
  ];
  if (vocabulary === undefined && merges === undefined) return undefined;
  if (vocabulary === undefined || merges === undefined) {
    throw new RangeError(
      refused("vocab.json", "it takes vocab.json and merges.txt, and one is missing"),
    );
  }
  const added = await read(directory, "added_tokens.json") ?? "{}";
  return {
    vocabulary: ids("vocab.json", parse("vocab.json", vocabulary)),
    merges: merges.split("\n").filter((line) => line !== "" && !line.startsWith("#version"))
      .map((line) => pair("merges.txt", line.replace(/\r$/, "").split(" "))),
    added: ids("added_tokens.json", parse("added_tokens.json", added)),
  };
}

function parseTokenizer(file: Json): TokenizerFiles {
  const name = "tokenizer.json";
  const { model, normalizer, pre_tokenizer: pre, added_tokens: added = [] } = file as {
    model?: Json;
    normalizer?: unknown;
    pre_tokenizer?: Json;
    added_tokens?: Json[];
  };
  const expect = (what: string, value: unknown, ...allowed: unknown[]): void => {
    if (allowed.includes(value)) return;
    throw new RangeError(
      refused(
        name,
        `${what} must be ${JSON.stringify(allowed[0])}: current value is ${JSON.stringify(value)}`,
      ),
    );
  };
  // GPT-2's own file is older than the type; the merges tell.
  expect("model.type", model?.type, "BPE", undefined);
  expect("normalizer", normalizer, null, undefined);
  expect("pre_tokenizer.type", pre?.type, "ByteLevel");
  expect("pre_tokenizer.add_prefix_space", pre?.add_prefix_space, false);
  expect("pre_tokenizer.use_regex", pre?.use_regex ?? true, true);
  expect("model.dropout", model!.dropout, null, undefined, 0);
  expect("model.continuing_subword_prefix", model!.continuing_subword_prefix, null, undefined, "");
  expect("model.end_of_word_suffix", model!.end_of_word_suffix, null, undefined, "");
  expect("model.byte_fallback", model!.byte_fallback, false, undefined);
  expect("model.ignore_merges", model!.ignore_merges, false, undefined);
  if (!Array.isArray(added) || !Array.isArray(model!.merges)) throw misshapen(name);
  for (const token of added) {
    for (const flag of ["single_word", "lstrip", "rstrip"]) {
      expect(`${flag} of ${JSON.stringify(token.content)}`, token[flag], false, undefined);
    }
  }
  return {
    vocabulary: ids(name, model!.vocab as Json),
    merges: model!.merges.map((merge) =>
      pair(name, typeof merge === "string" ? merge.split(" ") : merge)
    ),
    added: ids(name, Object.fromEntries(added.map(({ content, id }) => [content, id]))),
  };
}

function ids(name: string, vocabulary: Json): Map<string, number> {
  if (typeof vocabulary !== "object" || vocabulary === null) throw misshapen(name);
  const entries = Object.entries(vocabulary);
  const isRight = entries.every(([text, id]) =>
    text !== "" && Number.isInteger(id) && (id as number) >= 0
  );
  if (!isRight) throw misshapen(name);
  return new Map(entries as [string, number][]);
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

async function read(directory: string, name: string): Promise<string | undefined> {
  return await readIfThere(join(directory, name));
}
