import type { Random } from "../support/random.ts";

/** Ranges of characters on which programs tend to break. */
const RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x20, 0x7e],
  [0x61, 0x7a],
  [0x61, 0x7a],
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0x80, 0x24f],
  [0x300, 0x36f],
  [0x590, 0x6ff],
  [0x2000, 0x206f],
  [0x4e00, 0x9fff],
  [0xd800, 0xdfff],
  [0xfe00, 0xffff],
  [0x1f300, 0x1faff],
  [0x10000, 0x10ffff],
  [0x20, 0x20],
  [0x30, 0x39],
  [0x27, 0x27],
];

const PIECES = [
  "<|endoftext|>",
  "\\u0000",
  "<script>",
  "%00",
  "'; --",
  " word",
  "\r\n",
  "\u2028",
  "it's",
  "🏳️‍🌈",
];

/** A short text of all sorts of characters, now and then an empty or a long one; it may hold half of a pair. */
export function strangeText(random: Random): string {
  if (random.below(40) === 0) return "";
  if (random.below(40) === 0) return PIECES[random.below(PIECES.length)]!.repeat(random.below(400));
  let text = "";
  for (let runs = 1 + random.below(6); runs > 0; runs--) {
    if (random.below(5) === 0) text += PIECES[random.below(PIECES.length)]!;
    const [first, last] = RANGES[random.below(RANGES.length)]!;
    for (let length = 1 + random.below(4); length > 0; length--) {
      text += String.fromCodePoint(first + random.below(last - first + 1));
    }
  }
  return text;
}
