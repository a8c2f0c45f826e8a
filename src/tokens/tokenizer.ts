import { type Encoding, textReader } from "./text_reader.ts";
import { BOS_ID, BOS_TEXT, encode, LONGEST_TOKEN, tokenBytes, VOCABULARY } from "./vocabulary.ts";

/** How a model reads text. */
export interface Tokenizer {
  /** What is put in front of a prompt; undefined for a model that was trained without. */
  readonly bos: { readonly id: number; readonly text: string } | undefined;
  /** The most UTF-16 units of a text that one token may stand for. */
  readonly longest: number;
  /** One more than the largest id. */
  readonly size: number;
  /**
   * The tokens of a text, without BOS in front.
   *
   * @param specialTokens Whether a text that spells BOS means the token; otherwise it means the characters.
   * @throws {InfoflowError} BAD_USER_INPUT if the text has a byte for which there is no token, or there are no tokens.
   */
  encode(text: string, specialTokens?: boolean): Encoding;
  /** A token's bytes; none for an id that is no token's. */
  bytes(id: number): Uint8Array;
  /** The id of an added or special token by its text, BOS among them. */
  special(text: string): number | undefined;
}

const encoder = new TextEncoder();

/** GPT-2's own. */
export const GPT2_TOKENIZER: Tokenizer = {
  bos: { id: BOS_ID, text: BOS_TEXT },
  longest: LONGEST_TOKEN,
  size: VOCABULARY,
  encode: textReader({
    added: [{ id: BOS_ID, content: BOS_TEXT }],
    bosId: BOS_ID,
    encode: (text) => encode(text).map((id) => ({ id, bytes: tokenBytes(id).length })),
  }),
  bytes: (id) => id === BOS_ID ? encoder.encode(BOS_TEXT) : tokenBytes(id),
  special: (text) => text === BOS_TEXT ? BOS_ID : undefined,
};
