/** A token that stands for a text as a whole, beside those that are merged. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether it takes the white space before it. */
  readonly lstrip?: boolean;
  /** Whether it takes the white space after it. */
  readonly rstrip?: boolean;
  /** Whether it must stand between other characters than those of words. */
  readonly singleWord?: boolean;
  /** Whether it is looked for in the text as normalized, not as given. */
  readonly normalized?: boolean;
}

/** A stretch of a text: an added token, or what lies between two. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly id: number | undefined;
}

/**
 * Finds added tokens in a text as Hugging Face's tokenizers do: the leftmost wins, and of those the longest.
 *
 * @returns What cuts a text into stretches that cover it.
 */
export function addedTokenFinder(tokens: readonly AddedToken[]): (text: string) => Stretch[] {
  if (tokens.length === 0) return (text) => [{ start: 0, end: text.length, id: undefined }];
  const known = new Map(tokens.map((token) => [token.content, token]));
  const longestFirst = [...known.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(RegExp.escape).join("|"), "gu");
  return (text) => {
    const stretches: Stretch[] = [];
    let at = 0;
    const between = (end: number): void => {
      if (end > at) stretches.push({ start: at, end, id: undefined });
    };
    for (const match of text.matchAll(pattern)) {
      const token = known.get(match[0])!;
      let start = match.index;
      let end = start + match[0].length;
      if (start < at) continue; // an rstrip took it
      if (token.singleWord && touchesWord(text, start, end)) continue;
      if (token.lstrip) start = at + text.slice(at, start).replace(/\p{White_Space}+$/u, "").length;
      if (token.rstrip) end += text.slice(end).match(/^\p{White_Space}*/u)![0].length;
      between(start);
      stretches.push({ start, end, id: token.id });
      at = end;
    }
    between(text.length);
    return stretches;
  };
}

const WORD_END = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]$/u;
const WORD_START = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]/u;

function touchesWord(text: string, start: number, end: number): boolean {
  return WORD_END.test(text.slice(Math.max(0, start - 2), start)) ||
    WORD_START.test(text.slice(end, end + 2));
}
