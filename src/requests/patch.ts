import type { Site } from "./interventions/sites.ts";
import { gridAxes, type PatchGrid } from "./patching.ts";

/** One change of one run of a prompt: a cell of a grid. */
export interface Patch {
  /** The cell's place in its grid. */
  readonly cell: number;
  readonly site: Site;
  readonly layer: number;
  /** All heads without it. */
  readonly head?: number;
  /** All positions without it. */
  readonly position?: number;
  /** REPLACE puts the donor's values there, ZERO zeros, MEAN the mean over positions. */
  readonly action: "REPLACE" | "ZERO" | "MEAN";
}

/** The run that is patched, and what it is patched with. */
export interface PatchedRun {
  readonly layers: number;
  readonly heads: number;
  readonly ids: readonly number[];
  /** Of REPLACE: the donor, as many tokens. */
  readonly from?: readonly number[];
  /** The first position that a patch of all positions changes: for REPLACE where the prompts first differ. */
  readonly first: number;
}

/** Positions `from` to `end`, without it. */
export interface Rows {
  readonly from: number;
  readonly end: number;
}

/** What a patch at one position changes in that row of its layer only, not in later ones. */
function isOfOneRow(site: Site): boolean {
  return site !== "RESID_PRE" && site !== "K" && site !== "V";
}

/** Options of a grid. */
export interface GridOptions {
  readonly site: Site;
  readonly by: PatchGrid;
  /** The layers that are patched, ascending; all without them. */
  readonly layers?: readonly number[] | undefined;
}

/**
 * The patches of a grid that can change what comes next; the other cells are the base run's to the bit, because
 * nothing before the first difference differs, and nothing reads the other rows of the last layer.
 *
 * @returns In the order of their layers. RESID_POST is called what it is in the layer above.
 */
export function patchesOf({ site, by, layers: some }: GridOptions, run: PatchedRun): Patch[] {
  const { layers, heads, ids } = run;
  const axes = gridAxes(by);
  const none = [undefined];
  const headsOf = axes.includes("head") ? Array.from({ length: heads }, (_, h) => h) : none;
  const positionsOf = axes.includes("position") ? ids.map((_, position) => position) : none;
  const patches: Patch[] = [];
  let cell = 0;
  for (const layer of some ?? Array.from({ length: layers }, (_, l) => l)) {
    for (const head of headsOf) {
      for (const position of positionsOf) {
        const patch: Patch = {
          cell: cell++,
          ...throughOneName(site, layer, layers),
          ...(head !== undefined && { head }),
          ...(position !== undefined && { position }),
          action: "REPLACE",
        };
        if (canMove(patch, run)) patches.push(patch);
      }
    }
  }
  return patches;
}

/** The rows that a patch changes in a layer; in the last one the only row that anything reads afterwards. */
export function rowsChanged(patch: Patch, layer: number, run: PatchedRun): Rows {
  const tokens = run.ids.length;
  if (layer < patch.layer) return { from: tokens, end: tokens };
  if (layer === run.layers - 1) return { from: tokens - 1, end: tokens };
  const from = firstChanged(patch, run);
  const isOneRow = layer === patch.layer && patch.position !== undefined && isOfOneRow(patch.site);
  return { from, end: isOneRow ? from + 1 : tokens };
}

/** The first position that a patch changes anything at. */
export function firstChanged({ position }: Patch, { first }: PatchedRun): number {
  return position ?? first;
}

/** How many rows of how many layers patches take, each row of each layer counted: the work of running them. */
export function rowLayers(patches: readonly Patch[], run: PatchedRun): number {
  let sum = 0;
  for (const patch of patches) {
    for (let layer = patch.layer; layer < run.layers; layer++) {
      const { from, end } = rowsChanged(patch, layer, run);
      sum += end - from;
    }
  }
  return sum;
}

/** The stream after a layer is the stream before the next; after the last layer it is what the last row is made of. */
function throughOneName(
  site: Site,
  layer: number,
  layers: number,
): { readonly site: Site; readonly layer: number } {
  if (site !== "RESID_POST") return { site, layer };
  return layer < layers - 1
    ? { site: "RESID_PRE", layer: layer + 1 }
    : { site: "RESID_MID", layer };
}

function canMove(patch: Patch, { layers, ids, from, first }: PatchedRun): boolean {
  const { site, layer, position } = patch;
  if (position === undefined) return first < ids.length;
  if (position < first) return false;
  if (isOfOneRow(site)) return layer < layers - 1 || position === ids.length - 1;
  return layer > 0 || from?.[position] !== ids[position];
}
