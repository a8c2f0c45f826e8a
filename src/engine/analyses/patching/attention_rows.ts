import type { Site } from "../../../requests/interventions/sites.ts";
import type { Patch, PatchedRun, Rows } from "../../../requests/patch.ts";
import { ALL_HEADS, HEAD_ACTIONS } from "../../kernels/patched_attention.ts";

/** What a row reads from the donor, in the layer where its run is patched. */
interface Taken {
  /** The stream that attention's output is added to. */
  readonly isStream: boolean;
  readonly isQuery: boolean;
  readonly keys: Rows;
  readonly values: Rows;
}

/** No position, and every position: prompts are shorter than that. */
const NONE: Rows = { from: 0, end: 0 };
const EVERY: Rows = { from: 0, end: 0xffffffff };

/**
 * What row `i` reads from the donor. Sites after attention are patched through their inputs: z is the donor's if
 * queries, keys and values are; with the donor's stream as well, the rest of the row's layer is the donor's too.
 */
export function rowsPatched({ site, position, action }: Patch, i: number): Taken {
  if (action !== "REPLACE") return { isStream: false, isQuery: false, keys: NONE, values: NONE };
  const isOwn = position === undefined || i === position;
  const own = position === undefined ? EVERY : { from: position, end: position + 1 };
  const takes = (...sites: Site[]): boolean => sites.includes(site);
  const isWhole = takes("Z", "ATTN_OUT", "RESID_MID", "MLP_OUT");
  return {
    isStream: isOwn && takes("RESID_PRE", "RESID_MID", "MLP_OUT"),
    isQuery: isOwn && (isWhole || takes("RESID_PRE", "Q", "SCORES", "PATTERN")),
    keys: isWhole || takes("SCORES", "PATTERN") ? EVERY : takes("RESID_PRE", "K") ? own : NONE,
    values: isWhole ? EVERY : takes("RESID_PRE", "V") ? own : NONE,
  };
}

/** A row of a run that is patched in this layer, as `struct PatchedRow`; the donor is in rows 0 and on. */
export function rowsOfPatch(
  i: number,
  patch: Patch,
  { base, run }: { readonly base: number; readonly run: PatchedRun },
): number[] {
  const { isQuery, keys, values } = rowsPatched(patch, i);
  const action = patch.action === "REPLACE" ? HEAD_ACTIONS.MIX : HEAD_ACTIONS[patch.action];
  const head = patch.head ?? ALL_HEADS;
  const ranges = [keys.from, keys.end, values.from, values.end];
  return [i, base, 0, head, Number(isQuery), ...ranges, action, run.first, run.ids.length];
}

/** A row of a run in another layer, with its own keys and values from its first position on; or of a whole run. */
export function rowsOfRun(
  i: number,
  { base, own }: {
    readonly base: number;
    readonly own?: { readonly first: number; readonly row: number; readonly tokens: number };
  },
): number[] {
  if (!own) return [i, base, base, ALL_HEADS, 0, 0, 0, 0, 0, HEAD_ACTIONS.MIX, 0, 0];
  const { first, row, tokens } = own;
  const ranges = [first, tokens, first, tokens];
  return [i, base, row - first, ALL_HEADS, 1, ...ranges, HEAD_ACTIONS.MIX, 0, 0];
}
