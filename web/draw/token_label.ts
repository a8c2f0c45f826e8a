/** A piece of a label: text of the token, or a mark for what can't be seen. */
export interface LabelPart {
  readonly text: string;
  readonly isMark: boolean;
}

/** How the server writes BOS; no prompt has this as one token. */
const BOS = "<|endoftext|>";

const MARKS: Record<string, string> = {
  " ": "·",
  "\n": "↵",
  "\r": "␍",
  "\t": "⇥",
  "\u00a0": "⍽",
  "\0": "␀",
};

const HIDDEN = /\\x[0-9a-f]{2}|[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}]/gu;
const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Shows a token: spaces and line breaks as marks, what turns text around as its number, bytes as the server has them. */
export function labelParts(text: string, longest = Infinity): LabelPart[] {
  if (text === BOS) return [{ text: "BOS", isMark: false }];
  const parts: LabelPart[] = [];
  let at = 0;
  for (const { 0: hidden, index } of text.matchAll(HIDDEN)) {
    // Emoji are joined with it: alone it is hidden, within them it is part of the picture.
    if (hidden === "\u200d" && index > 0) continue;
    if (index > at) parts.push({ text: text.slice(at, index), isMark: false });
    parts.push({ text: markOf(hidden), isMark: true });
    at = index + hidden.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at), isMark: false });
  return shorten(parts, longest);
}

/** A label as plain text. */
export function labelText(text: string, longest?: number): string {
  return labelParts(text, longest).map((part) => part.text).join("");
}

function markOf(hidden: string): string {
  const code = hidden.codePointAt(0)!.toString(16).padStart(4, "0");
  return hidden.startsWith("\\x") ? hidden : MARKS[hidden] ?? `\\u${code}`;
}

function shorten(parts: readonly LabelPart[], longest: number): LabelPart[] {
  const shortened: LabelPart[] = [];
  let room = longest;
  for (const { text, isMark } of parts) {
    const letters = Array.from(segmenter.segment(text), ({ segment }) => segment);
    if (letters.length > room) {
      const kept = letters.slice(0, Math.max(0, room - 1)).join("");
      return [...shortened, { text: `${kept}…`, isMark }];
    }
    shortened.push({ text, isMark });
    room -= letters.length;
  }
  return shortened;
}
