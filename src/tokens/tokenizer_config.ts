import { inShape } from "../errors.ts";
import type { AddedToken } from "./added_tokens.ts";
import type { ReadText } from "./read_text.ts";

/** What `tokenizer_config.json` and `special_tokens_map.json` say beside a tokenizer's vocabulary. */
export interface TokenizerConfig {
  /** The text of BOS, null where they say that there is none, undefined where they say nothing. */
  readonly bos: string | null | undefined;
  /** The texts of all special tokens that they name. */
  readonly specials: readonly string[];
  /** Tokens that they list with their ids. */
  readonly added: readonly AddedToken[];
  readonly prefixSpace: boolean | undefined;
  readonly tokenizerClass: string | undefined;
}

type Json = Readonly<Record<string, unknown>>;

const KINDS = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"].map((kind) => `${kind}_token`);

/**
 * Reads the two files, as far as they are there. Where both name a token, transformers goes by the map, unless the
 * config lists its tokens.
 *
 * @throws {SyntaxError} If one is not JSON.
 */
export async function readTokenizerConfig(read: ReadText): Promise<TokenizerConfig> {
  const config = await json(read, "tokenizer_config.json");
  const map = await json(read, "special_tokens_map.json");
  const listed = config.added_tokens_decoder as Record<string, Json> | undefined;
  const names = listed ? { ...map, ...config } : { ...config, ...map };
  const further = [names.additional_special_tokens, names.extra_special_tokens]
    .flatMap((tokens) => Array.isArray(tokens) ? tokens : Object.values(tokens ?? {}));
  const specials = [...KINDS.map((kind) => names[kind]), ...further].map(textOf)
    .filter((text) => typeof text === "string" && text !== "") as string[];
  return inShape("tokenizer_config.json", () => ({
    bos: textOf(names.bos_token),
    specials: [...new Set(specials)],
    added: Object.entries(listed ?? {}).flatMap(([id, { content, ...flags }]) =>
      typeof content === "string" && content !== ""
        ? [{
          id: Number(id),
          content,
          lstrip: flags.lstrip === true,
          rstrip: flags.rstrip === true,
          singleWord: flags.single_word === true,
          normalized: flags.normalized === true,
        }]
        : []
    ),
    prefixSpace: typeof config.add_prefix_space === "boolean" ? config.add_prefix_space : undefined,
    tokenizerClass: typeof config.tokenizer_class === "string" ? config.tokenizer_class : undefined,
  }));
}

/** A token is written as its text, or as an object that has it. */
function textOf(token: unknown): string | null | undefined {
  if (token === null || token === undefined) return token;
  const text = typeof token === "object" ? (token as Json).content : token;
  return typeof text === "string" && text !== "" ? text : undefined;
}

async function json(read: ReadText, name: string): Promise<Json> {
  const text = await read(name);
  if (text === undefined) return {};
  try {
    // What is no object says nothing.
    return Object(JSON.parse(text)) as Json;
  } catch (cause) {
    throw new SyntaxError(`Cannot read ${name} as it is not JSON`, { cause });
  }
}
