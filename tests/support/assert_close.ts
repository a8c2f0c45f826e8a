import { AssertionError } from "node:assert";

/** How far numbers may be from what is expected. */
export interface Tolerance {
  readonly atol: number;
  readonly rtol?: number;
}

/**
 * Asserts that two arrays are as long as each other and that every number obeys |actual - expected| <= atol + rtol
 * |expected|; NaN obeys nothing.
 *
 * @returns The worst error seen, for the comment beside the tolerance.
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { atol, rtol = 0 }: Tolerance,
): number {
  if (actual.length !== expected.length) {
    throw new AssertionError({
      message: `expected ${expected.length} numbers, got ${actual.length}`,
    });
  }
  let worst = 0;
  let worstIndex = -1;
  let failures = 0;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    const isClose = error <= atol + rtol * Math.abs(expected[i]!);
    if (!isClose) failures++;
    if (!(error <= worst)) {
      worst = error;
      worstIndex = i;
    }
    if (Number.isNaN(error)) break;
  }
  if (failures > 0) {
    throw new AssertionError({
      message:
        `${failures} of ${expected.length} numbers are off by more than ${atol} + ${rtol} |expected|; ` +
        `worst at ${worstIndex}: expected ${expected[worstIndex]}, got ${
          actual[worstIndex]
        }, off by ${worst}`,
    });
  }
  return worst;
}
