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

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Tokenises a prompt, BOS first.
 *
 * @param prompt Any well-formed text.
 * @param limit The most tokens, BOS among them.
 * @param tokenizer How the model reads text.
 * @throws {InfoflowError} PROMPT_EMPTY; PROMPT_TOO_LONG with `tokens` and `limit`; BAD_USER_INPUT for a lone surrogate.
 */
export function tokenize(
  prompt: string,
  limit: number,
  tokenizer: Tokenizer = GPT2_TOKENIZER,
): Token[] {
  if (prompt === "") {
    throw new InfoflowError("PROMPT_EMPTY", "Cannot run an empty prompt: write at least a word");
  }
  // No token stands for more bytes than the longest, and no character for less than one.
  const fewest = Math.ceil(prompt.length / tokenizer.longest) + 1;
  if (fewest > limit) throw tooLong(`at least ${fewest.toLocaleString("en")}`, fewest, limit);
  if (!prompt.isWellFormed()) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      "Cannot run the prompt as it holds half of a surrogate pair, which is no character",
    );
  }
  const ids = tokenizer.encode(prompt);
  const count = ids.length + 1;
  if (count > limit) throw tooLong(count.toLocaleString("en"), count, limit);

  const offsets = utf16Offsets(prompt);
  const tokens: Token[] = [{ index: 0, ...tokenizer.bos, start: 0, end: 0 }];
  let at = 0;
  for (const id of ids) {
    const bytes = tokenizer.bytes(id);
    const start = offsets[at]!;
    at += bytes.length;
    tokens.push({ index: tokens.length, id, text: textOf(bytes), start, end: offsets[at]! });
  }
  return tokens;
}

function tooLong(said: string, tokens: number, limit: number): InfoflowError {
  return new InfoflowError(
    "PROMPT_TOO_LONG",
    `Cannot run the prompt as it has ${said} tokens, BOS among them: the model takes ${
      limit.toLocaleString("en")
    }`,
    { tokens, limit },
  );
}

/**
 * For each place between bytes of the prompt's UTF-8, the place in UTF-16 units. A place within a character counts as
 * its end: the character belongs to the token that has its first byte.
 */
function utf16Offsets(prompt: string): Int32Array {
  const offsets = new Int32Array(encoder.encode(prompt).length + 1);
  let byte = 0;
  let unit = 0;
  for (const character of prompt) {
    unit += character.length;
    const length = utf8Length(character.codePointAt(0)!);
    offsets.fill(unit, byte + 1, byte + length + 1);
    byte += length;
  }
  return offsets;
}

function utf8Length(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}

/** What a person reads for a token of the vocabulary, wherever it stands. */
export function tokenText(id: number, tokenizer: Tokenizer = GPT2_TOKENIZER): string {
  return id === tokenizer.bos.id ? tokenizer.bos.text : textOf(tokenizer.bytes(id));
}

function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  }
}
