import { BOS_ID, BOS_TEXT, encode, LONGEST_TOKEN, tokenBytes, VOCABULARY } from "./vocabulary.ts";

/** How a model reads text. */
export interface Tokenizer {
  /** What is put in front of every prompt. A prompt that spells it means the characters. */
  readonly bos: { readonly id: number; readonly text: string };
  /** The most bytes that one token stands for. */
  readonly longest: number;
  /** One more than the largest id. */
  readonly size: number;
  /** The token ids of a text, without BOS. */
  encode(text: string): number[];
  /** A token's bytes; none for an id that is no token's. */
  bytes(id: number): Uint8Array;
}

/** GPT-2's own. */
export const GPT2_TOKENIZER: Tokenizer = {
  bos: { id: BOS_ID, text: BOS_TEXT },
  longest: LONGEST_TOKEN,
  size: VOCABULARY,
  encode,
  bytes: (id) => id < BOS_ID ? tokenBytes(id) : new TextEncoder().encode(BOS_TEXT),
};
