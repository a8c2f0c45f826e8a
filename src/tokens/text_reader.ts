import { type AddedToken, addedTokenFinder } from "./added_tokens.ts";
import type { Normalized, Normalizer } from "./normalize.ts";
import { utf16Offsets } from "./utf16_offsets.ts";

/** A text as token ids. */
export interface Encoding {
  readonly ids: readonly number[];
  /** Where each token ends in the text, in UTF-16 units; it begins where the one before ends. */
  readonly ends: readonly number[];
}

/** A token, and how many bytes of the text it stands for. */
export interface Piece {
  readonly id: number;
  readonly bytes: number;
}

/** What a text is read by. */
export interface TextReader {
  readonly added: readonly AddedToken[];
  /** The added token that a text spells only if it says that it does. */
  readonly bosId: number | undefined;
  /** What is done to a text first; nothing, by default. */
  readonly normalizer?: Normalizer | undefined;
  /** Whether a stretch of text that begins with no space gets one. */
  readonly prefixSpace?: boolean;
  /** The tokens of a text without added ones. Their bytes are all of the text's, in order. */
  readonly encode: (text: string) => Iterable<Piece>;
}

/** Puts what is done to a text before and around its merges around what merges it. */
export function textReader(
  { added, bosId, normalizer, prefixSpace = false, encode }: TextReader,
): (text: string, specialTokens?: boolean) => Encoding {
  const finders = [false, true].map((specialTokens) => {
    const spelt = added.filter(({ id }) => specialTokens || id !== bosId);
    const [asGiven, normalized] = [false, true].map((isNormalized) =>
      addedTokenFinder(spelt.filter((token) => (token.normalized ?? false) === isNormalized))
    );
    return { asGiven: asGiven!, normalized: normalized! };
  });
  return (text, specialTokens = false) => {
    const { asGiven, normalized } = finders[Number(specialTokens)]!;
    const ids: number[] = [];
    const ends: number[] = [];
    const add = (id: number, end: number): void => {
      ids.push(id);
      ends.push(end);
    };
    for (const outer of asGiven(text)) {
      if (outer.id !== undefined) {
        add(outer.id, outer.end);
        continue;
      }
      const stretch = text.slice(outer.start, outer.end);
      const { text: plain, origins } = normalizer?.(stretch) ?? unchanged(stretch);
      const placeOf = (unit: number): number => outer.start + (origins?.[unit] ?? unit);
      for (const { start, end, id } of normalized(plain)) {
        if (id !== undefined) {
          add(id, placeOf(end));
          continue;
        }
        const part = plain.slice(start, end);
        const spaced = prefixSpace && !part.startsWith(" ") ? ` ${part}` : part;
        const shift = spaced.length - part.length;
        const offsets = utf16Offsets(spaced);
        let at = 0;
        for (const { id, bytes } of encode(spaced)) {
          at += bytes;
          add(id, placeOf(start + Math.max(0, offsets[at]! - shift)));
        }
      }
    }
    return { ids, ends };
  };
}

function unchanged(text: string): { text: string; origins?: Normalized["origins"] } {
  return { text };
}
