import type { Intervention } from "./intervention.ts";

/**
 * Where a changed run begins to differ from the plain one: below this layer, and before this position, every value is
 * the plain run's.
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
