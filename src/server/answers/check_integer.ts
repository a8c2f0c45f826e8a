import { InfoflowError } from "../../errors.ts";

/**
 * Checks that an option is a whole number of a range.
 *
 * @throws {InfoflowError} BAD_USER_INPUT with `min` and `max`.
 */
export function checkInteger(
  name: string,
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot answer as ${name} must be a whole number from ${min} to ${max}: current value is ${value}`,
    { min, max },
  );
}

/**
 * Checks that a position of a prompt exists; negative ones count from the end.
 *
 * @returns The same counted from 0.
 * @throws {InfoflowError} BAD_USER_INPUT with `min` and `max`.
 */
export function checkPosition(name: string, position: number, tokens: number): number {
  const at = checkInteger(name, position, { min: -tokens, max: tokens - 1 });
  return at < 0 ? at + tokens : at;
}
