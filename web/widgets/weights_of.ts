import type { Matrix } from "../server/matrix.ts";

/** Whether a token's sources are meant, or the targets that take from it. */
export type Direction = "sources" | "targets";

/** The weights between a token and all others: its row, or its column. */
export function linksOf(
  { values, positions }: Pick<Matrix, "values" | "positions">,
  position: number,
  direction: Direction,
): Float32Array {
  if (direction === "sources") {
    return values.subarray(position * positions, (position + 1) * positions);
  }
  return Float32Array.from(
    { length: positions },
    (_, target) => values[target * positions + position]!,
  );
}

/** The positions with the largest weights, whatever their sign, the largest first. */
export function strongest(weights: Float32Array, most: number): number[] {
  const size = (position: number): number => Math.abs(weights[position]!);
  return Array.from(weights.keys()).filter((position) => size(position) > 0)
    .sort((a, b) => size(b) - size(a)).slice(0, most);
}
