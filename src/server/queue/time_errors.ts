import { InfoflowError } from "../../errors.ts";

/** The error of a request that takes longer than its caller has left; both in ms. */
export function tooLong(cost: number, left: number): InfoflowError {
  return new InfoflowError(
    "MATRIX_TOO_LARGE",
    `Cannot compute this in time as it would take about ${inSeconds(cost)} seconds, and ${
      inSeconds(left)
    } are left: ask with a shorter prompt, or for less`,
    { estimate: Math.round(cost), limit: Math.round(left) },
  );
}

/** The error of a request that can no longer be answered in time. @param cost Ms. */
export function tooLate(cost: number): InfoflowError {
  return new InfoflowError(
    "DEADLINE_EXCEEDED",
    `Cannot answer in time as it would take about ${
      inSeconds(cost)
    } seconds more: ask again, or with a shorter prompt`,
    { estimate: Math.round(cost) },
  );
}

/** Ms as seconds, to one decimal. */
export function inSeconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
