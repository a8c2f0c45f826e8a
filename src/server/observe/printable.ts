/**
 * Characters that could control a terminal or mislead a reader: controls (an escape sequence may begin with U+009B as
 * well), format characters that turn the direction of text or can't be seen, line and paragraph separators, halves of
 * pairs.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A text on one line, with unsafe characters written as `\uXXXX`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, escaped);
}

function escaped(character: string): string {
  let text = "";
  for (let i = 0; i < character.length; i++) {
    text += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }
  return text;
}
