import { refusal } from "./refuse.ts";

/** How wide a vector may be. */
export interface VectorWidth {
  /** Channels of a site without heads; of one head. */
  readonly width: number;
  /** The heads that the vector is for, as asked for; undefined where the site has none. */
  readonly heads: readonly number[] | undefined;
}

/**
 * The float32s of an ADD: (width), or (heads, width) with the heads in ascending order; undefined where all are 0.
 *
 * @param which The intervention's place in its list.
 * @throws {InfoflowError} BAD_USER_INPUT if there is no vector, it is of another width, or a number is no float32.
 */
export function vectorOf(
  which: number,
  vector: readonly number[] | null | undefined,
  { width, heads }: VectorWidth,
): readonly number[] | undefined {
  if (!vector) throw refusal(which, "ADD needs what is to be added: give vector");
  const all = heads ? width * heads.length : width;
  if (vector.length !== width && vector.length !== all) {
    const valid = all === width ? `${width}` : `${width} or, for each head its own, ${all}`;
    throw refusal(which, `vector must have ${valid} numbers: current number is ${vector.length}`, {
      expected: width,
      actual: vector.length,
    });
  }
  const numbers = vector.map((value) => float32Of(which, "vector", value));
  if (numbers.every((value) => value === 0)) return undefined;
  if (!heads) return numbers;
  const rows = heads.map((head, at) => ({
    head,
    row: vector.length === width ? numbers : numbers.slice(at * width, (at + 1) * width),
  }));
  return rows.sort((a, b) => a.head - b.head).flatMap(({ row }) => row);
}

/**
 * A number as the device has it.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if it is not finite there.
 */
export function float32Of(which: number, name: string, value: number): number {
  const rounded = Math.fround(value);
  if (Number.isFinite(rounded)) return rounded === 0 ? 0 : rounded;
  throw refusal(which, `${name} must be of finite numbers below 3.4e38: current value is ${value}`);
}
