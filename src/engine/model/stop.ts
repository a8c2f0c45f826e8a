import { type Site, SITES } from "../../requests/interventions/sites.ts";
import type { ForwardPass } from "./pass.ts";

/** Decides where a pass can stop because nothing later is needed. */
export interface Stop {
  /** Whether a site of a layer is to be computed. */
  isBefore(layer: number, site: Site): boolean;
}

/** Finds the last site that a pass has to compute. */
export function stopOf(
  { keep, makesPatterns, endsAtSites = false }: Pick<
    ForwardPass,
    "keep" | "makesPatterns" | "endsAtSites"
  >,
  layers: number,
): Stop {
  const rank = (layer: number, site: Site): number => layer * SITES.length + SITES.indexOf(site);
  const last = Math.max(
    makesPatterns && !endsAtSites ? rank(layers - 1, "PATTERN") : -1,
    ...keep.map(({ site, layer }) =>
      site === "RESID_POST" ? rank(layer + 1, "RESID_PRE") : rank(layer, site)
    ),
  );
  return { isBefore: (layer, site) => rank(layer, site) <= last };
}
