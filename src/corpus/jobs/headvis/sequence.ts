/** A prompt as HeadVis has it: the largest weights of each target. */
export interface Sequence {
  readonly sequence_id: number;
  readonly interval: number;
  readonly tokens: readonly string[];
  /** Target times `seq_len` plus source. */
  readonly attention_indices: readonly number[];
  readonly attention_values: readonly number[];
  readonly seq_len: number;
  readonly max_activation: number;
}

/** Weights of a target that are kept, and the least of them. */
const MOST = 8;
const LEAST = 0.005;

/** @param pattern (T, T) of the head. */
export function sequenceOf(
  pattern: Float32Array,
  { row, interval, tokens }: {
    readonly row: number;
    readonly interval: number;
    readonly tokens: readonly string[];
  },
): Sequence {
  const T = tokens.length;
  const cells: { readonly index: number; readonly value: number }[] = [];
  let largest = 0;
  for (let i = 0; i < T; i++) {
    const seen = Array.from(pattern.subarray(i * T, i * T + i + 1), (value, j) => ({ value, j }));
    if (i > 0) { for (const { value, j } of seen) if (j > 0) largest = Math.max(largest, value); }
    const kept = seen.filter(({ value }) => value >= LEAST)
      .sort((a, b) => b.value - a.value || a.j - b.j).slice(0, MOST).sort((a, b) => a.j - b.j);
    for (const { value, j } of kept) cells.push({ index: i * T + j, value: rounded(value) });
  }
  return {
    sequence_id: row,
    interval,
    tokens,
    attention_indices: cells.map(({ index }) => index),
    attention_values: cells.map(({ value }) => value),
    seq_len: T,
    max_activation: rounded(largest),
  };
}

/** To four decimals, as all numbers of the tree are. */
export function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4;
}
