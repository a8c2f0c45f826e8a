import TinyQueue from "tinyqueue";

/** Two neighbouring parts of a piece that together are a token. */
interface Pair {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Byte pair encoding of one piece in n log n: the pair with the lowest id is merged first, the leftmost of equals, as
 * long as there is one. gpt-tokenizer looks at every pair for each merge, which is faster for words, but takes seconds
 * for a run of 50,000 letters.
 *
 * @param bytes The piece.
 * @param idOf The id of a token's bytes; undefined where they are no token.
 */
export function mergeLongPiece(
  bytes: Uint8Array,
  idOf: (bytes: Uint8Array) => number | undefined,
): number[] {
  const { length } = bytes;
  // Parts are known by where they begin. next[length] and previous[0] lie outside.
  const next = Int32Array.from({ length: length + 1 }, (_, start) => start + 1);
  const previous = Int32Array.from({ length: length + 1 }, (_, start) => start - 1);
  const isPart = new Uint8Array(length).fill(1);
  const pairs = new TinyQueue<Pair>([], (a, b) => a.id - b.id || a.start - b.start);

  const consider = (start: number): void => {
    if (start < 0 || next[start]! >= length) return;
    const end = next[next[start]!]!;
    const id = idOf(bytes.subarray(start, end));
    if (id !== undefined) pairs.push({ id, start, end });
  };
  for (let start = 0; start < length; start++) consider(start);
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const { start, end } = pair;
    const isStale = !isPart[start] || next[start]! >= length || next[next[start]!] !== end;
    if (isStale) continue;
    isPart[next[start]!] = 0;
    next[start] = end;
    previous[end] = start;
    consider(start);
    consider(previous[start]!);
  }
  const ids: number[] = [];
  for (let start = 0; start < length; start = next[start]!) {
    ids.push(idOf(bytes.subarray(start, next[start]!))!);
  }
  return ids;
}
