import { bytesOfLetters, lettersOfBytes } from "./byte_letters.ts";
import { type Merge, mergePairs } from "./merge_pairs.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { TokenizerFiles } from "./tokenizer_files.ts";
import { PIECES } from "./vocabulary.ts";

const encoder = new TextEncoder();

/**
 * A tokenizer by a checkpoint's own files: GPT-2's way of cutting a text into pieces, the files' merges of them.
 *
 * @param bosId The token that is put in front of prompts.
 * @throws {RangeError} If a byte has no token, a merge makes none, or BOS is none.
 */
export function ownTokenizer(
  { vocabulary, merges, added }: TokenizerFiles,
  bosId: number,
): Tokenizer {
  const ofByte = Array.from({ length: 256 }, (_, byte) => {
    const id = vocabulary.get(lettersOfBytes(Uint8Array.of(byte)));
    if (id === undefined) throw cannot(`byte ${byte} must be a token of its own`);
    return id;
  });
  const known = new Map<string, Merge>();
  merges.forEach(([left, right], rank) => {
    const [a, b, id] = [left, right, left + right].map((text) => vocabulary.get(text));
    if (a === undefined || b === undefined || id === undefined) {
      throw cannot(`its vocabulary must have what it merges: current value is ${left} ${right}`);
    }
    const key = `${a} ${b}`;
    if (!known.has(key)) known.set(key, { rank, id });
  });
  const mergeOf = (left: number, right: number): Merge | undefined => known.get(`${left} ${right}`);
  const encodePlain = (text: string): number[] =>
    Array.from(text.matchAll(PIECES)).flatMap(([piece]) =>
      mergePairs(Array.from(encoder.encode(piece), (byte) => ofByte[byte]!), mergeOf)
    );
  return withAdded({ vocabulary, added, bosId, encodePlain });
}

/** What a tokenizer is made from, when its merges are known. */
interface Parts {
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly added: ReadonlyMap<string, number>;
  readonly bosId: number;
  encodePlain(text: string): number[];
}

/** Puts added tokens, which stand for a text as a whole, around what merges the rest. */
export function withAdded({ vocabulary, added, bosId, encodePlain }: Parts): Tokenizer {
  const bytes: Uint8Array[] = [];
  for (const [spelling, id] of vocabulary) {
    bytes[id] = bytesOfLetters(spelling) ?? encoder.encode(spelling);
  }
  for (const [text, id] of added) bytes[id] = encoder.encode(text);
  const texts = new Map(added.entries().map(([text, id]) => [id, text]));
  const bos = texts.get(bosId) ?? vocabulary.entries().find(([, id]) => id === bosId)?.[0];
  if (bos === undefined) {
    throw cannot(
      `bos_token_id of config.json must be one of its tokens: current value is ${bosId}`,
    );
  }
  // The leftmost wins, and of those the longest. BOS is left out: a prompt that spells it means the characters.
  const spelt = [...added.keys()].filter((text) => added.get(text) !== bosId)
    .sort((a, b) => b.length - a.length);
  const pattern = spelt.length > 0
    ? new RegExp(`(${spelt.map(RegExp.escape).join("|")})`, "u")
    : undefined;
  return {
    bos: { id: bosId, text: bos },
    longest: bytes.reduce((most, { length }) => Math.max(most, length), 1),
    size: bytes.length,
    encode: (text) =>
      pattern
        ? text.split(pattern).flatMap((part, i) =>
          i % 2 === 1 ? [added.get(part)!] : encodePlain(part)
        )
        : encodePlain(text),
    bytes: (id) => bytes[id] ?? new Uint8Array(),
  };
}

function cannot(rule: string): RangeError {
  return new RangeError(`Cannot read prompts by the model's tokenizer as ${rule}`);
}
