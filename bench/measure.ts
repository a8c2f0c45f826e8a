/** What was measured: one line of JSON from each measuring program. */
export interface Sample {
  /** What was done, such as `patterns`, or a peer's name. */
  readonly what: string;
  /** T */
  readonly T: number;
  readonly min_ms: number;
  readonly median_ms: number;
  readonly runs: number;
  /** The largest difference from the reference, where the output was compared with one. */
  readonly error?: number;
  /** The 99th percentile, where many were counted. */
  readonly p99_ms?: number;
}

/** How often to measure: at least three times, at most `runs` times, and no new run after a time limit. */
export interface Effort {
  readonly runs: number;
  readonly budgetMs: number;
}

const WARM_UP = 2;

/**
 * Times something again and again.
 *
 * @param prepare Makes the argument of a run, outside the clock.
 */
export async function measure<T>(
  { runs, budgetMs }: Effort,
  prepare: () => T | Promise<T>,
  run: (argument: T) => Promise<unknown>,
): Promise<Pick<Sample, "min_ms" | "median_ms" | "runs">> {
  for (let i = 0; i < WARM_UP; i++) await run(await prepare());
  const times: number[] = [];
  const began = performance.now();
  while (times.length < runs && (times.length < 3 || performance.now() - began < budgetMs)) {
    const argument = await prepare();
    const start = performance.now();
    await run(argument);
    times.push(performance.now() - start);
  }
  return summary(times);
}

/** The least and the middle of some times. */
export function summary(times: number[]): Pick<Sample, "min_ms" | "median_ms" | "runs"> {
  const sorted = times.toSorted((a, b) => a - b);
  return { min_ms: sorted[0]!, median_ms: sorted[sorted.length >> 1]!, runs: sorted.length };
}

/** The largest difference between two arrays; NaN where one of them has a NaN or they differ in length. */
export function maxAbsDiff(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return NaN;
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= most)) most = difference;
  }
  return most;
}
