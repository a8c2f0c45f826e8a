import { refusal } from "./refuse.ts";

/** What indices may be. */
export interface IndexRange {
  /** The name of the list in requests. */
  readonly name: string;
  /** How many there are. */
  readonly count: number;
  /** Whether negative ones count from the end. */
  readonly fromEnd?: boolean;
}

/**
 * Checks that indices exist, and counts all of them from 0.
 *
 * @param which The intervention's place in its list.
 * @throws {InfoflowError} BAD_USER_INPUT with `min` and `max`, if one does not exist or there is none.
 */
export function checkIndices(
  which: number,
  indices: readonly number[],
  { name, count, fromEnd = false }: IndexRange,
): number[] {
  const range = { min: fromEnd ? -count : 0, max: count - 1 };
  if (indices.length === 0) {
    throw refusal(which, `${name} must name one at least: leave it out for all`, range);
  }
  return indices.map((index) => {
    if (!Number.isInteger(index) || index < range.min || index > range.max) {
      const rule = `${name} must be whole numbers from ${range.min} to ${range.max}`;
      throw refusal(which, `${rule}: current value is ${index}`, range);
    }
    return index < 0 ? index + count : index;
  });
}

/** Indices in ascending order, each once; undefined if they are all. */
export function someOf(indices: readonly number[], count: number): readonly number[] | undefined {
  const unique = [...new Set(indices)].sort((a, b) => a - b);
  return unique.length === count ? undefined : unique;
}
