import { InfoflowError } from "../errors.ts";
import { GPT2_TOKENIZER, type Tokenizer } from "./tokenizer.ts";

/** A token of a prompt. */
export interface Token {
  /** Its place on the axis that it labels. */
  readonly index: number;
  readonly id: number;
  /** What a person reads; a token that holds part of a character shows its bytes as `\xNN`. */
  readonly text: string;
  /** Where it begins in the prompt, in UTF-16 units. */
  readonly start: number;
  /** Where it ends in the prompt, in UTF-16 units. */
  readonly end: number;
}

/** How a prompt is meant. */
export interface TokenizeOptions {
  /** The most tokens, BOS among them. */
  readonly limit: number;
  /** How the model reads text. */
  readonly tokenizer?: Tokenizer | undefined;
  /** Whether BOS is put in front, where the model has one. */
  readonly withBos?: boolean;
  /** Whether a text that spells BOS means the token. */
  readonly specialTokens?: boolean | undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Tokenises a prompt, BOS first.
 *
 * @param prompt Any well-formed text.
 * @throws {InfoflowError} PROMPT_EMPTY; PROMPT_TOO_LONG with `tokens` and `limit`; BAD_USER_INPUT for a lone surrogate,
 * or what the tokenizer has no token for.
 */
export function tokenize(
  prompt: string,
  { limit, tokenizer = GPT2_TOKENIZER, withBos = true, specialTokens = false }: TokenizeOptions,
): Token[] {
  if (prompt === "") {
    throw new InfoflowError("PROMPT_EMPTY", "Cannot run an empty prompt: write at least a word");
  }
  const front = withBos && tokenizer.bos ? [{ index: 0, ...tokenizer.bos, start: 0, end: 0 }] : [];
  // No token stands for more of a text than the longest.
  const fewest = Math.ceil(prompt.length / tokenizer.longest) + front.length;
  if (fewest > limit) throw tooLong(`at least ${fewest.toLocaleString("en")}`, fewest, limit);
  if (!prompt.isWellFormed()) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      "Cannot run the prompt as it holds half of a surrogate pair, which is no character",
    );
  }
  const { ids, ends } = tokenizer.encode(prompt, specialTokens);
  const count = ids.length + front.length;
  if (count > limit) throw tooLong(count.toLocaleString("en"), count, limit);

  const tokens: Token[] = front;
  ids.forEach((id, at) =>
    tokens.push({
      index: tokens.length,
      id,
      text: tokenText(id, tokenizer),
      start: at === 0 ? 0 : ends[at - 1]!,
      end: ends[at]!,
    })
  );
  return tokens;
}

/** The error of a prompt that the model has no room for. */
export function tooLong(said: string, tokens: number, limit: number): InfoflowError {
  return new InfoflowError(
    "PROMPT_TOO_LONG",
    `Cannot run the prompt as it has ${said} tokens, BOS among them: the model takes ${
      limit.toLocaleString("en")
    }`,
    { tokens, limit },
  );
}

/** The texts of tokens that were seen: no more of them than a vocabulary has. */
const texts = new WeakMap<Tokenizer, Map<number, string>>();

/** What a person reads for a token of the vocabulary, wherever it stands; the id of one that has no text, as in `[17]`. */
export function tokenText(id: number, tokenizer: Tokenizer = GPT2_TOKENIZER): string {
  if (id === tokenizer.bos?.id) return tokenizer.bos.text;
  const known = texts.get(tokenizer) ?? new Map<number, string>();
  const seen = known.get(id);
  if (seen !== undefined) return seen;
  const bytes = tokenizer.bytes(id);
  if (bytes.length === 0) return `[${id}]`;
  const text = textOfBytes(bytes);
  texts.set(tokenizer, known.set(id, text));
  return text;
}

/** The text of bytes, or where they are no text, the bytes as `\xNN`. */
function textOfBytes(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  }
}
