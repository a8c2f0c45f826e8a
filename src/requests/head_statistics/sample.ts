/** How many prompts of a bin are kept. */
const MOST = 3;

/** Puts a row among those that are kept: the rows of the least hashes, so that no order and no split matters. */
export function insertSample(rows: number[] | undefined, row: number): void {
  if (!rows) return;
  rows.push(row);
  rows.sort((a, b) => hashOf(a) - hashOf(b) || a - b);
  if (rows.length > MOST) rows.pop();
}

/** A number that has nothing to do with the row (murmur3's finalizer). */
export function hashOf(row: number): number {
  let hash = row >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
