import type { Matrix } from "../server/matrix.ts";
import type { Ramp } from "./ramp.ts";
import { factorOf, type Shade, stepOf } from "./shade.ts";

type Cells = Pick<Matrix, "values" | "positions" | "pool">;

/**
 * Paints a matrix into a canvas, one pixel a cell, for the browser to scale. Nothing is painted above the diagonal,
 * because no token takes from a later one.
 */
export function paintMatrix(
  canvas: HTMLCanvasElement,
  { values, positions, pool = 1 }: Cells,
  { shade, ramp }: { shade: Shade; ramp: Ramp },
): void {
  canvas.width = canvas.height = positions;
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(positions, positions);
  const pixels = new Uint32Array(image.data.buffer);
  for (let target = 0; target < positions; target++) {
    const row = target * positions;
    const factor = factorOf(shade.unit, target, pool);
    const last = shade.hidesSelf && pool === 1 ? target - 1 : target;
    for (let source = 0; source <= last; source++) {
      pixels[row + source] = ramp.pixels[stepOf(factor * values[row + source]!, shade)]!;
    }
  }
  context.putImageData(image, 0, 0);
}

/** More cells than that can't be told apart in a small picture. */
const SMALL = 160;
const shrunken = new WeakMap<Cells, Cells>();

/**
 * A matrix for a small picture: neighbouring positions share a cell where there are many, the mean over targets of the
 * sum over sources, so that rows still sum to 1.
 */
export function shrink(matrix: Cells): Cells {
  const step = Math.ceil(matrix.positions / SMALL);
  if (step <= 1) return matrix;
  const known = shrunken.get(matrix);
  if (known) return known;
  const small = pooled(matrix, step);
  shrunken.set(matrix, small);
  return small;
}

function pooled({ values, positions, pool = 1 }: Cells, step: number): Cells {
  const size = Math.ceil(positions / step);
  const sums = new Float32Array(size * size);
  for (let target = 0; target < positions; target++) {
    const row = Math.floor(target / step);
    const share = 1 / Math.min(step, positions - row * step);
    for (let source = 0; source <= target; source++) {
      const cell = row * size + Math.floor(source / step);
      sums[cell] = sums[cell]! + share * values[target * positions + source]!;
    }
  }
  return { values: sums, positions: size, pool: pool * step };
}
