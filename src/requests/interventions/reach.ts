import type { Intervention } from "./intervention.ts";

/**
 * The layer and the position at which a changed run may begin to differ from the unchanged one.
 *
 * @param interventions In their canonical form, one at least.
 * @returns `layer` is the number of layers where only the stream after the last one is changed.
 */
export function reachOf(
  interventions: readonly Intervention[],
): { readonly layer: number; readonly position: number } {
  const layers = interventions.map(({ layer, site }) => site === "RESID_POST" ? layer + 1 : layer);
  const positions = interventions.map(({ positions }) => positions?.[0] ?? 0);
  return { layer: Math.min(...layers), position: Math.min(...positions) };
}
