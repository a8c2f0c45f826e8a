// Copyright 2026 the Infoflow authors. MIT license.

/**
 * An unsigned 64-bit integer: a number as long as that is exact, a bigint above it. Each value has
 * only one of the two forms, so `===` and `<` work on any mixture, and the usual small sizes never
 * pay for a bigint.
 */
export type U64 = number | bigint;

const MAX_U64 = 2n ** 64n - 1n;
const MAX_DIGITS = 20; // of 2^64 - 1

function fromBigInt(value: bigint): U64 | undefined {
  if (value > MAX_U64) return undefined;
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

/** Reads decimal digits without rounding; `undefined` above 2^64 - 1. */
export function fromDigits(digits: string): U64 | undefined {
  // BigInt takes quadratic time: never give it the megabytes of digits that a header could hold.
  return digits.length > MAX_DIGITS ? undefined : fromBigInt(BigInt(digits));
}

/** Multiplies; `undefined` above 2^64 - 1. */
export function multiply(a: U64, b: U64): U64 | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    if (product <= Number.MAX_SAFE_INTEGER) return product;
  }
  return fromBigInt(BigInt(a) * BigInt(b));
}

/** Subtracts; `undefined` below 0. */
export function subtract(a: U64, b: U64): U64 | undefined {
  if (a < b) return undefined;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return fromBigInt(BigInt(a) - BigInt(b));
}

/** Divides; `undefined` where that leaves a remainder. */
export function divide(a: U64, b: number): U64 | undefined {
  if (typeof a === "number") return a % b === 0 ? a / b : undefined;
  return a % BigInt(b) === 0n ? fromBigInt(a / BigInt(b)) : undefined;
}
