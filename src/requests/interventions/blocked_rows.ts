import type { Intervention } from "./intervention.ts";

/** A row of scores that is blocked whole. */
export interface BlockedRow {
  readonly layer: number;
  readonly head: number;
  readonly target: number;
}

/** A run whose scores are changed. */
export interface Sizes {
  readonly layers: number;
  readonly heads: number;
  readonly tokens: number;
}

/**
 * Finds a target with nothing left to attend to: all its sources are blocked, and no later ZERO or REPLACE restores
 * one.
 *
 * @param interventions In their canonical form.
 */
export function blockedRow(
  interventions: readonly Intervention[],
  { layers, heads, tokens }: Sizes,
): BlockedRow | undefined {
  for (let layer = 0; layer < layers; layer++) {
    const edits = interventions.filter((it) => it.site === "SCORES" && it.layer === layer);
    if (!edits.some(({ action }) => action === "BLOCK")) continue;
    const firstSeen = new Map<string, number>(); // of the edits that a target has, by their places
    for (let head = 0; head < heads; head++) {
      const ofHead = edits.filter((it) => it.heads?.includes(head) ?? true);
      const targets = ofHead.map(({ positions }) => positions && new Set(positions));
      for (let target = 0; target < tokens; target++) {
        const own = ofHead.filter((_, at) => targets[at]?.has(target) ?? true);
        const key = own.map((edit) => edits.indexOf(edit)).join();
        if (!firstSeen.has(key)) firstSeen.set(key, firstUnblocked(own, tokens));
        if (target < firstSeen.get(key)!) return { layer, head, target };
      }
    }
  }
  return undefined;
}

/** The first source that is not blocked in the end; the number of tokens if all are. */
function firstUnblocked(edits: readonly Intervention[], tokens: number): number {
  const blocked = new Uint8Array(tokens);
  for (const { action, sources } of edits) {
    if (action !== "BLOCK" && action !== "ZERO" && action !== "REPLACE") continue;
    const value = action === "BLOCK" ? 1 : 0;
    if (!sources) blocked.fill(value);
    else for (const source of sources) blocked[source] = value;
  }
  const at = blocked.indexOf(0);
  return at < 0 ? tokens : at;
}
