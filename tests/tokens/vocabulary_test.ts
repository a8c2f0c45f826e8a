import assert from "node:assert/strict";
import { mergeLongPiece } from "../../src/tokens/merge_long_piece.ts";
import { BOS_ID, encode, LONGEST_TOKEN, tokenBytes } from "../../src/tokens/vocabulary.ts";
import { python } from "../support/python.ts";
import { Random } from "../support/random.ts";

// A second implementation, with the same merges and its own idea of GPT-2's pieces.
const TIKTOKEN = `
import base64, json, sys
import tiktoken
from tiktoken_ext.openai_public import r50k_pat_str
asked = json.load(sys.stdin)
ranks = {base64.b64decode(token): rank for rank, token in enumerate(asked["tokens"])}
encoding = tiktoken.Encoding("r50k", pat_str=r50k_pat_str, mergeable_ranks=ranks, special_tokens={})
print(json.dumps([encoding.encode_ordinary(text) for text in asked["texts"]]))
`;

const tokens = Array.from({ length: BOS_ID }, (_, id) => tokenBytes(id).toBase64());

/** Ranges of characters on which implementations tend to disagree. */
const RANGES: [first: number, last: number][] = [
  [0x20, 0x7e],
  [0x00, 0x1f],
  [0x80, 0x24f],
  [0x300, 0x36f],
  [0x590, 0x6ff],
  [0x2000, 0x206f],
  [0x3000, 0x30ff],
  [0x4e00, 0x9fff],
  [0x1f300, 0x1faff],
  [0xfe00, 0xfeff],
  [0xfff0, 0xffff],
  [0x85, 0x85],
  [0xfeff, 0xfeff],
  [0x180e, 0x180e],
  [0xa0, 0xa0],
  [0x10000, 0x10ffff],
  [0x20, 0x20],
  [0x27, 0x27],
  [0x73, 0x74],
  [0x30, 0x39],
  [0xb2, 0xb9],
  [0x61, 0x7a],
  [0xc2, 0xc3],
];

function randomText(random: Random): string {
  let text = "";
  for (let run = 1 + random.below(12); run > 0; run--) {
    const [first, last] = RANGES[random.below(RANGES.length)]!;
    for (let length = 1 + random.below(3); length > 0; length--) {
      text += String.fromCodePoint(first + random.below(last - first + 1));
    }
  }
  return text;
}

Deno.test("encode() agrees with tiktoken on random Unicode", async () => {
  const random = new Random(3);
  const texts = Array.from({ length: 20_000 }, () => randomText(random));
  const expected = await python(TIKTOKEN, { input: { tokens, texts } }) as number[][];
  texts.forEach((text, i) => assert.deepEqual(encode(text), expected[i], JSON.stringify(text)));
});

Deno.test("encode() agrees with tiktoken on pieces of thousands of characters", async () => {
  const random = new Random(4);
  const letters = (count: number, alphabet: string): string =>
    Array.from({ length: count }, () => alphabet[random.below(alphabet.length)]).join("");
  const texts = [
    "a".repeat(5000),
    "-".repeat(3001),
    "😀".repeat(1000),
    letters(4000, "ACGT"),
    letters(3000, "etaoinshrdlu"),
    letters(2000, "東京都日本"),
    ` ${letters(600, ".-=_*#")} ${letters(513, "é")}`,
    " ".repeat(2000) + "x",
  ];
  const expected = await python(TIKTOKEN, { input: { tokens, texts } });
  assert.deepEqual(texts.map(encode), expected);
});

Deno.test("mergeLongPiece() does what the other method does on short pieces too", () => {
  const random = new Random(5);
  const ids = new Map(
    Array.from({ length: BOS_ID }, (_, id) => [String.fromCharCode(...tokenBytes(id)), id]),
  );
  for (let i = 0; i < 500; i++) {
    const word = Array.from({ length: 1 + random.below(20) }, () => "abcdeinorst"[random.below(11)])
      .join("");
    const bytes = new TextEncoder().encode(word);
    const merged = mergeLongPiece(bytes, (part) => ids.get(String.fromCharCode(...part)));
    assert.deepEqual(merged, encode(word), word);
  }
});

Deno.test("LONGEST_TOKEN is the length of the longest token", () => {
  const lengths = Array.from({ length: BOS_ID }, (_, id) => tokenBytes(id).length);
  assert.equal(Math.max(...lengths), LONGEST_TOKEN);
});
