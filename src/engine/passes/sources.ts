import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";

/** An unchanged run that interventions take values from, and the sites. */
export interface Source {
  readonly ids: readonly number[];
  readonly sites: readonly SiteOfLayer[];
}

/** The unchanged runs that interventions take values from: donors, and the prompt's own for means. */
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
