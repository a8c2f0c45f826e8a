// @ts-types="@types/d3-color"
import type { RGBColor } from "d3-color";
import { type Matrices, type Matrix, panelsOf } from "../server/matrix.ts";
import { type Ramp, STEPS } from "./ramp.ts";

/** How a weight becomes a step of the ramp. */
export interface Shade {
  /** The weight of the last colour; larger ones have it too. */
  readonly top: number;
  readonly curve: "sqrt" | "linear";
  /** What it is a weight of: a share of the row, or how many times an even share. */
  readonly unit?: "share" | "even" | undefined;
  /** Whether a token's share in itself is left blank. */
  readonly hidesSelf?: boolean | undefined;
  /** Whether the ramp's middle is 0 and its first colour `-top`. */
  readonly diverges?: boolean | undefined;
}

/**
 * The factor that turns the numbers of a row into weights of a unit. If positions share cells, a number is a sum over
 * several sources: divided by their number, it has the scale of a single source.
 */
export function factorOf(unit: Shade["unit"], target: number, pool = 1): number {
  return (unit === "even" ? target * pool + (pool + 1) / 2 : 1) / pool;
}

/** The step of a weight. */
export function stepOf(weight: number, { top, curve, diverges }: Shade): number {
  const share = top > 0 ? Math.min(1, Math.abs(weight) / top) : 0;
  const bent = curve === "sqrt" ? Math.sqrt(share) : share;
  if (!diverges) return Math.round(bent * (STEPS - 1));
  return Math.round((weight < 0 ? 1 - bent : 1 + bent) / 2 * (STEPS - 1));
}

/** The colour of a weight, and one that can be read on it. */
export function coloursOf(weight: number, shade: Shade, ramp: Ramp): { back: string; ink: string } {
  const back = ramp.colours[stepOf(weight, shade)]!;
  return { back: back.formatHex(), ink: luminance(back) > EVEN ? "#000000" : "#ffffff" };
}

/** The luminance on which black and white read equally well (WCAG 2). */
const EVEN = 0.179;

function luminance({ r, g, b }: RGBColor): number {
  const linear = (channel: number): number => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

/** The share of cells that may be beyond the scale. */
const BEYOND = 0.005;
const SAMPLES = 20_000;

/** What of the state decides about colours. */
export interface ColourChoice {
  readonly scale: "shared" | "panel";
  readonly curve: "sqrt" | "linear";
  readonly unit: "share" | "even";
  readonly hidesSelf: boolean;
}

/**
 * The shade of each matrix of a picture: all on the scale of the small ones, or each on its own. Differences have their
 * own in any case.
 */
export function scaleOf(
  { scale, ...look }: ColourChoice,
  small?: Matrices,
): (matrix: Matrix) => Shade {
  return (matrix) => {
    if (matrix.isChange) return { ...look, top: topOf(matrix, look), diverges: true };
    return { ...look, top: topOf(scale === "shared" && small ? small : matrix, look) };
  };
}

type Look = Pick<Shade, "unit" | "hidesSelf">;

const tops = new WeakMap<Matrix | Matrices, Map<string, number>>();

/**
 * The weight that the scale ends at: all but a few of the cells are below it. The first rows don't count: with so few
 * sources their weights are large, and would leave no colours for the others.
 */
export function topOf(matrix: Matrix | Matrices, look: Look = {}): number {
  const known = tops.get(matrix) ?? new Map<string, number>();
  tops.set(matrix, known);
  const key = `${look.unit} ${look.hidesSelf}`;
  const top = known.get(key) ?? quantile("panels" in matrix ? panelsOf(matrix) : [matrix], look);
  known.set(key, top);
  return top;
}

/** Rows with fewer sources say little: they are left out where there are enough others. */
const FEW_SOURCES = 4;

function quantile(matrices: readonly Matrix[], { unit, hidesSelf }: Look): number {
  const cells = matrices.reduce((sum, { positions }) => sum + positions * (positions + 1) / 2, 0);
  const stride = Math.max(1, Math.floor(cells / SAMPLES));
  const sample: number[] = [];
  let next = 0;
  for (const { values, positions, pool = 1 } of matrices) {
    const few = positions * pool > 2 * FEW_SOURCES ? Math.ceil(FEW_SOURCES / pool) : 1;
    for (let target = positions > 2 ? few : 0; target < positions; target++) {
      const row = target * positions;
      const factor = factorOf(unit, target, pool);
      for (; next <= target; next += stride) {
        if (hidesSelf && next === target) continue;
        sample.push(factor * Math.abs(values[row + next]!));
      }
      next -= target + 1;
    }
  }
  sample.sort((a, b) => a - b);
  return sample[Math.ceil((sample.length - 1) * (1 - BEYOND))] || 1;
}
