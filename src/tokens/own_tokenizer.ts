import { InfoflowError } from "../errors.ts";
import { bytesOfLetters, lettersOfBytes } from "./byte_letters.ts";
import { type Merge, mergePairs } from "./merge_pairs.ts";
import { type Piece, textReader } from "./text_reader.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { TokenizerFiles } from "./tokenizer_files.ts";

const encoder = new TextEncoder();

/**
 * A tokenizer by a checkpoint's own files: their way of cutting a text into pieces, their merges of them.
 *
 * @param bosId The token that is put in front of prompts; undefined if none is.
 * @param encode What merges a text, where that is known without the files' merges.
 * @throws {RangeError} If a merge makes no token.
 */
export function ownTokenizer(
  files: TokenizerFiles,
  bosId: number | undefined,
  encode?: (text: string) => Iterable<Piece>,
): Tokenizer {
  const { vocabulary, added } = files;
  const bytes: Uint8Array[] = [];
  for (const [spelling, id] of vocabulary) {
    bytes[id] = bytesOfLetters(spelling) ?? encoder.encode(spelling);
  }
  for (const { content, id } of added) bytes[id] = encoder.encode(content);
  const specials = new Map(added.map(({ content, id }) => [content, id]));
  if (bosId !== undefined && !bytes[bosId]) {
    throw new RangeError(
      `Cannot read prompts by the model's tokenizer as BOS must be one of its tokens: current value is ${bosId}`,
    );
  }
  const takesSpaces = added.some(({ lstrip, rstrip }) => lstrip || rstrip);
  const longest = bytes.reduce((most, { length }) => Math.max(most, length), 1);
  return {
    bos: bosId === undefined ? undefined : {
      id: bosId,
      text: added.find(({ id }) => id === bosId)?.content ??
        vocabulary.entries().find(([, id]) => id === bosId)![0],
    },
    // Unicode's forms make one character of four at most.
    longest: takesSpaces ? Infinity : files.normalizer ? 4 * longest : longest,
    size: bytes.length,
    encode: textReader({ ...files, bosId, encode: encode ?? encoderOf(files, bytes) }),
    bytes: (id) => bytes[id] ?? new Uint8Array(),
    special: (text) => specials.get(text),
  };
}

/** Byte pair encoding by the files' merges. */
function encoderOf(
  { vocabulary, merges, cut, ignoreMerges, unknown }: TokenizerFiles,
  bytes: readonly Uint8Array[],
): (text: string) => Iterable<Piece> {
  const ofByte = Array.from(
    { length: 256 },
    (_, byte) => vocabulary.get(lettersOfBytes(Uint8Array.of(byte))),
  );
  const known = new Map<string, Merge>();
  merges.forEach(([left, right], rank) => {
    const [a, b, id] = [left, right, left + right].map((text) => vocabulary.get(text));
    if (a === undefined || b === undefined || id === undefined) {
      throw new RangeError(
        "Cannot read prompts by the model's tokenizer as its vocabulary must have what it merges: " +
          `current value is ${left} ${right}`,
      );
    }
    const key = `${a} ${b}`;
    if (!known.has(key)) known.set(key, { rank, id });
  });
  const mergeOf = (left: number, right: number): Merge | undefined => known.get(`${left} ${right}`);

  const mergePiece = (piece: Uint8Array): Piece[] => {
    const whole = ignoreMerges ? vocabulary.get(lettersOfBytes(piece)) : undefined;
    if (whole !== undefined) return [{ id: whole, bytes: piece.length }];
    const ids = Array.from(piece, (byte) => ofByte[byte] ?? unknown?.id);
    if (ids.includes(undefined)) throw noToken(piece, ids.indexOf(undefined));
    const merged = mergePairs(ids as number[], mergeOf);
    if (!unknown || !ids.includes(unknown.id)) {
      return merged.map((id) => ({ id, bytes: bytes[id]!.length }));
    }
    return withUnknown(merged, unknown, bytes);
  };
  return function* (text) {
    for (const piece of cut(text)) yield* mergePiece(encoder.encode(piece));
  };
}

/** An unknown token stands for a byte, or for all bytes in a row that have none. */
function withUnknown(
  ids: readonly number[],
  { id: unknown, isFused }: NonNullable<TokenizerFiles["unknown"]>,
  bytes: readonly Uint8Array[],
): Piece[] {
  const pieces: Piece[] = [];
  for (const id of ids) {
    const before = pieces.at(-1);
    if (id === unknown && isFused && before?.id === unknown) {
      pieces[pieces.length - 1] = { id, bytes: before.bytes + 1 };
    } else {
      pieces.push({ id, bytes: id === unknown ? 1 : bytes[id]!.length });
    }
  }
  return pieces;
}

function noToken(piece: Uint8Array, at: number): InfoflowError {
  const text = new TextDecoder().decode(piece);
  return new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot read the prompt as the model's tokenizer must have a token for every byte: it has none for byte ${
      piece[at]
    } of ${JSON.stringify(text)}; leave that out`,
  );
}
