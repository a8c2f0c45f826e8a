import { hasHeads, type Site } from "./interventions/sites.ts";

/** What a grid of patches has a cell for. */
const PATCH_GRIDS = [
  "LAYER",
  "LAYER_POSITION",
  "LAYER_HEAD",
  "LAYER_HEAD_POSITION",
] as const;
/** One of {@linkcode PATCH_GRIDS}. */
export type PatchGrid = typeof PATCH_GRIDS[number];

/** DENOISE: the clean value into the corrupted run. NOISE: the corrupted value into the clean run. */
export const PATCH_DIRECTIONS = ["DENOISE", "NOISE"] as const;
/** One of {@linkcode PATCH_DIRECTIONS}. */
export type PatchDirection = typeof PATCH_DIRECTIONS[number];

/**
 * What is read off a run at its last position: logit of the answer minus that of the other token; log-probability or
 * probability of the answer; `KL(clean || run)` in nats.
 */
export const PATCH_METRICS = ["LOGIT_DIFF", "LOG_PROB", "PROB", "KL"] as const;
/** One of {@linkcode PATCH_METRICS}. */
export type PatchMetric = typeof PATCH_METRICS[number];

/** The metric of runs, and how long they may take. */
export interface MetricArgument {
  readonly metric: PatchMetric;
  readonly answer: number;
  /** For LOGIT_DIFF only. */
  readonly against: number;
  /** In seconds: what will take longer is refused. */
  readonly limit: number;
}

/** The finest grid of a site, by position. */
export function defaultGrid(site: Site): PatchGrid {
  return hasHeads(site) ? "LAYER_HEAD_POSITION" : "LAYER_POSITION";
}

/** The axes of a grid, in the order of its numbers. */
export function gridAxes(grid: PatchGrid): readonly ("layer" | "head" | "position")[] {
  return grid.toLowerCase().split("_") as ("layer" | "head" | "position")[];
}

/** How long its axes are. */
export interface GridSizes {
  readonly layers: number;
  readonly heads: number;
  readonly positions: number;
}

/** The length of each axis of a grid. */
function gridShape(grid: PatchGrid, sizes: GridSizes): number[] {
  return gridAxes(grid).map((axis) => sizes[`${axis}s`]);
}

/** How many cells a grid has. */
export function gridSize(grid: PatchGrid, sizes: GridSizes): number {
  return gridShape(grid, sizes).reduce((product, size) => product * size, 1);
}
