import TinyQueue from "tinyqueue";

/** What a pair of neighbouring tokens becomes, and which pairs go first: the lower rank. */
export interface Merge {
  readonly rank: number;
  readonly id: number;
}

/** A pair in a piece: where it is, and what both were when it was found. */
interface Pair extends Merge {
  readonly start: number;
  readonly left: number;
  readonly right: number;
}

/**
 * Byte pair encoding of one piece by a list of merges, in n log n: the pair of the lowest rank is merged first, the
 * leftmost of equals, as long as there is one (Sennrich, Haddow & Birch 2016).
 *
 * @param ids The tokens of the piece's bytes.
 * @param mergeOf What two neighbours become; undefined if they stay.
 */
export function mergePairs(
  ids: readonly number[],
  mergeOf: (left: number, right: number) => Merge | undefined,
): number[] {
  const { length } = ids;
  const parts = Array.from(ids);
  // Parts are known by where they begin. next[length] and previous[0] lie outside.
  const next = Int32Array.from({ length: length + 1 }, (_, start) => start + 1);
  const previous = Int32Array.from({ length: length + 1 }, (_, start) => start - 1);
  const isPart = new Uint8Array(length).fill(1);
  const pairs = new TinyQueue<Pair>([], (a, b) => a.rank - b.rank || a.start - b.start);

  const consider = (start: number): void => {
    if (start < 0 || next[start]! >= length) return;
    const [left, right] = [parts[start]!, parts[next[start]!]!];
    const merge = mergeOf(left, right);
    if (merge) pairs.push({ ...merge, start, left, right });
  };
  for (let start = 0; start < length; start++) consider(start);
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const { start, left, right, id } = pair;
    const middle = next[start]!;
    const isStale = !isPart[start] || middle >= length || parts[start] !== left ||
      parts[middle] !== right;
    if (isStale) continue;
    isPart[middle] = 0;
    parts[start] = id;
    next[start] = next[middle]!;
    previous[next[start]!] = start;
    consider(start);
    consider(previous[start]!);
  }
  const merged: number[] = [];
  for (let start = 0; start < length; start = next[start]!) merged.push(parts[start]!);
  return merged;
}
