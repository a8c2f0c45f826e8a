import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";

/** A plain run that interventions take values from, and where. */
export interface Source {
  readonly ids: readonly number[];
  readonly sites: readonly SiteOfLayer[];
}

/** The plain runs that interventions take values from: donors, and the prompt's own where means are taken. */
export function sourcesOf(
  ids: readonly number[],
  interventions: readonly Intervention[],
): Source[] {
  return interventions.flatMap(({ site, layer, action, from }) => {
    const source = from ?? (action === "MEAN" ? ids : undefined);
    if (!source) return [];
    return [{ ids: source, sites: site === "PATTERN" ? [] : [{ site, layer }] }];
  });
}
