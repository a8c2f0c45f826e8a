import { firstChanged, type Patch, type PatchedRun, rowsChanged } from "../../../requests/patch.ts";
import { rowsOfPatch, rowsOfRun, rowsPatched } from "./attention_rows.ts";

/** What a layer computes for a batch of runs. */
export interface LayerPlan {
  /**
   * The row of the layer below that each row's stream comes from; undefined if all rows stay in place. Rows of the
   * donor and of the base run are first, then those of the runs that were patched below, then those of the runs that
   * are patched here.
   */
  readonly streams: Uint32Array<ArrayBuffer> | undefined;
  /** How many of them have queries, keys and values: all but those of the runs that are patched here. */
  readonly queryRows: number;
  /** In the last layer, the last row of each run: the only rows that go on. */
  readonly lastRows: Uint32Array<ArrayBuffer> | undefined;
  /** The number of rows that go through attention and the MLP. */
  readonly rows: number;
  /** (rows, members of `struct PatchedRow`) */
  readonly attention: Uint32Array<ArrayBuffer>;
  /** If MLP_OUT is patched here, the row whose stream the MLP's output is added to. */
  readonly middles: Uint32Array<ArrayBuffer> | undefined;
}

/** Rows of a run in a layer: positions `from` to `end`, the first of them in row `start`. */
interface Placed {
  readonly start: number;
  readonly from: number;
  readonly end: number;
}

/**
 * Plans runs that go through the layers together: a run joins in the layer where it is patched, with the rows that the
 * patch changes, and has its rows from the first changed position on in the layers above. The batch begins with the
 * donor, if there is one, and the base run; both run whole.
 *
 * @param patches In the order of their layers.
 * @returns A plan for each layer. After the last one the rows are the last ones of the donor, the base run and each run.
 */
export function schedule(patches: readonly Patch[], run: PatchedRun): LayerPlan[] {
  const { layers, ids: { length: tokens } } = run;
  const hasDonor = run.from !== undefined;
  const base = hasDonor ? tokens : 0;
  const wholeRows = base + tokens;
  let before: (Placed | undefined)[] = [];
  return Array.from({ length: layers }, (_, layer) => {
    const isLast = layer === layers - 1;
    const streams = Array.from({ length: wholeRows }, (_, row) => row);
    const whole = isLast ? [tokens - 1] : Array.from({ length: tokens }, (_, i) => i);
    const attention = [
      ...(hasDonor ? whole.map((i) => rowsOfRun(i, { base: 0 })) : []),
      ...whole.map((i) => rowsOfRun(i, { base })),
    ];
    const last = (hasDonor ? [0, base] : [base]).map((start) => start + tokens - 1);
    const now: (Placed | undefined)[] = [];
    let isMlpPatched = false;
    const middles = attention.map((_, row) => row);
    const baseInRest = attention.length - whole.length; // its first row among those that go on
    let queryRows = wholeRows;
    patches.forEach((patch, n) => {
      if (patch.layer > layer) return;
      const isPatched = patch.layer === layer;
      const first = firstChanged(patch, run);
      const changed = rowsChanged(patch, layer, run);
      const placed = isPatched ? changed : { from: first, end: tokens };
      const start = streams.length;
      now[n] = { start, ...placed };
      if (!isPatched) queryRows = start + tokens - first;
      for (let i = placed.from; i < placed.end; i++) {
        if (isPatched) streams.push(rowsPatched(patch, i).isStream ? i : base + i);
        else streams.push(isIn(before[n]!, i) ? before[n]!.start + i - before[n]!.from : base + i);
      }
      for (let i = changed.from; i < changed.end; i++) {
        if (isLast) last.push(start + i - placed.from);
        const isMlp = isPatched && patch.site === "MLP_OUT";
        isMlpPatched ||= isMlp;
        middles.push(isMlp ? baseInRest + (isLast ? 0 : i) : middles.length);
        attention.push(
          isPatched
            ? rowsOfPatch(i, patch, { base, run })
            : rowsOfRun(i, { base, own: { first, row: start, tokens } }),
        );
      }
    });
    const rowsBefore = layer === 0 ? wholeRows : countRows(before, wholeRows);
    before = now;
    const isAsBefore = streams.length === rowsBefore && streams.every((row, at) => row === at);
    return {
      streams: isAsBefore ? undefined : Uint32Array.from(streams),
      queryRows,
      lastRows: isLast ? Uint32Array.from(last) : undefined,
      rows: attention.length,
      attention: Uint32Array.from(attention.flat()),
      middles: isMlpPatched ? Uint32Array.from(middles) : undefined,
    };
  });
}

/**
 * The most rows of a batch: those of the base run and the donor, and those of each run from its first changed one on.
 */
export function rowsOfBatch(patches: readonly Patch[], run: PatchedRun): number {
  const tokens = run.ids.length;
  return patches.reduce((sum, patch) => sum + tokens - firstChanged(patch, run), 2 * tokens);
}

/** Divides patches into batches of a limited number of rows; a batch of one patch may have more. */
export function batchesOf(
  patches: readonly Patch[],
  run: PatchedRun,
  most: number,
): (readonly Patch[])[] {
  const batches: Patch[][] = [[]];
  let rows = rowsOfBatch([], run);
  for (const patch of patches) {
    const more = run.ids.length - firstChanged(patch, run);
    if (batches.at(-1)!.length > 0 && rows + more > most) {
      batches.push([]);
      rows = rowsOfBatch([], run);
    }
    batches.at(-1)!.push(patch);
    rows += more;
  }
  return batches;
}

function isIn({ from, end }: Placed, position: number): boolean {
  return position >= from && position < end;
}

function countRows(runs: readonly (Placed | undefined)[], wholeRows: number): number {
  return runs.reduce((sum, placed) => sum + (placed ? placed.end - placed.from : 0), wholeRows);
}
