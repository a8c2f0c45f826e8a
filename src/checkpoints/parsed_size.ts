/** What the values of a text take when it is parsed. */
export interface ParsedSize {
  /** Bytes, about. Of a text that takes more than is allowed, no more than that is counted. */
  readonly memory: number;
  /** How deep arrays and objects are nested. */
  readonly depth: number;
}

const [
  OPEN_ARRAY,
  CLOSE_ARRAY,
  OPEN_OBJECT,
  CLOSE_OBJECT,
  QUOTE,
  BACKSLASH,
  COLON,
  COMMA,
  LINE,
  SPACE,
] = Array.from('[]{}"\\:,\n ', (character) => character.charCodeAt(0));

/** Bytes that V8 takes for an array or an object, a string, a member of an object, an element, a line of merges. */
const ARRAY = 64;
const STRING = 32;
const MEMBER = 128;
const ELEMENT = 16;
const MERGE = 128;

/**
 * Estimates what a text takes when it is parsed, without parsing it: a file of 30 MB can take a gigabyte.
 *
 * @param options.isJson Else it has lines of words.
 * @param options.most Where to stop counting.
 */
export function memoryOf(
  bytes: Uint8Array,
  { isJson, most }: { readonly isJson: boolean; readonly most: number },
): ParsedSize {
  let memory = 0;
  if (!isJson) {
    for (let at = 0; at < bytes.length && memory <= most; at++) {
      if (bytes[at] === LINE) memory += MERGE;
      else if (bytes[at] === SPACE) memory += STRING;
    }
    return { memory, depth: 0 };
  }
  let [open, depth] = [0, 0];
  let isText = false;
  for (let at = 0; at < bytes.length && memory <= most; at++) {
    const byte = bytes[at];
    if (isText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) {
      isText = true;
      memory += STRING;
    } else if (byte === COMMA) memory += ELEMENT;
    else if (byte === COLON) memory += MEMBER;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      memory += ARRAY;
      if (++open > depth) depth = open;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) open--;
  }
  return { memory, depth };
}
