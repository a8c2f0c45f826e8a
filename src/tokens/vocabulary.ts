import { BytePairEncodingCore } from "gpt-tokenizer/BytePairEncodingCore";
import ranks from "gpt-tokenizer/bpeRanks/r50k_base";
import { mergeLongPiece } from "./merge_long_piece.ts";

/** GPT-2's beginning of text, which is also its end of text. */
export const BOS_ID = 50256;
/** What people read for BOS. */
export const BOS_TEXT = "<|endoftext|>";
/** V of GPT-2. */
export const VOCABULARY = 50257;
/** The most bytes that one token of the vocabulary stands for. */
export const LONGEST_TOKEN = 128;

/**
 * GPT-2's split of a text into pieces that are tokenised each by itself. gpt-tokenizer's own has `\s`, which in
 * JavaScript takes in U+FEFF and leaves out U+0085; the reference implementations mean Unicode's White_Space.
 */
export const PIECES =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Longer pieces are merged by a method whose time does not grow with the square of their length. */
const LONG_PIECE = 512;

// No special tokens: a prompt that says <|endoftext|> means these thirteen characters.
const core = new BytePairEncodingCore({ bytePairRankDecoder: ranks, tokenSplitRegex: PIECES });
const encoder = new TextEncoder();

/** A token's bytes; none for an id that is no token of the vocabulary. */
export function tokenBytes(id: number): Uint8Array {
  const entry = ranks[id] ?? [];
  return typeof entry === "string" ? encoder.encode(entry) : Uint8Array.from(entry);
}

/** The token ids of a text, without BOS, by GPT-2's vocabulary `r50k_base`. */
export function encode(text: string): number[] {
  const ids: number[] = [];
  for (const [piece] of text.matchAll(PIECES)) {
    const isLong = piece.length > LONG_PIECE;
    for (
      const id of isLong ? mergeLongPiece(encoder.encode(piece), idOf) : core.encodeNative(piece)
    ) {
      ids.push(id);
    }
  }
  return ids;
}

let ids: Map<string, number> | undefined;

function idOf(bytes: Uint8Array): number | undefined {
  ids ??= new Map(ranks.map((_, id) => [binaryString(tokenBytes(id)), id]));
  return ids.get(binaryString(bytes));
}

function binaryString(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
