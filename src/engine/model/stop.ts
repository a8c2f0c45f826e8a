import { type Site, SITES } from "../../requests/interventions/sites.ts";
import type { ForwardPass } from "./pass.ts";

/** Decides where a pass can stop because nothing later is needed. */
export interface Stop {
  /** The number of layers of which more is computed than the stream before them; counted from the model's first. */
  readonly layers: number;
  /** Whether a site of a layer is to be computed. */
  isBefore(layer: number, site: Site): boolean;
}

/** Finds the last site that a pass has to compute. */
export function stopOf(
  { keep, makesPatterns, layersMade }: Pick<ForwardPass, "keep" | "makesPatterns" | "layersMade">,
): Stop {
  const rank = (layer: number, site: Site): number => layer * SITES.length + SITES.indexOf(site);
  const last = Math.max(
    makesPatterns && layersMade > 0 ? rank(layersMade - 1, "PATTERN") : -1,
    ...keep.map(({ site, layer }) =>
      site === "RESID_POST" ? rank(layer + 1, "RESID_PRE") : rank(layer, site)
    ),
  );
  const layers = Math.ceil(last / SITES.length);
  return { layers, isBefore: (layer, site) => rank(layer, site) <= last };
}
