import type { SaeConfig } from "../../requests/sae/sae_config.ts";
import { residualSites, type SiteOfLayer } from "../activations/kept_sites.ts";

/** The site whose activations an autoencoder encodes. */
export function siteOfSae({ site, layer }: SaeConfig): SiteOfLayer {
  return { site: site === "LN2_NORMALIZED" ? "RESID_MID" : site, layer };
}

/** The site that an autoencoder reconstructs. */
export function targetOfSae({ site, layer }: SaeConfig): SiteOfLayer {
  return { site: site === "LN2_NORMALIZED" ? "MLP_OUT" : site, layer };
}

/** The numbers of attention layers and of MLPs that write into an autoencoder's activation. */
export function writersOfSae(
  { site, layer }: SaeConfig,
): { readonly attention: number; readonly mlp: number } {
  if (site === "RESID_PRE") return { attention: layer, mlp: layer };
  return { attention: layer + 1, mlp: site === "RESID_MID" ? layer : layer + 1 };
}

/** Whether the flow to features is defined: it is where their input is a sum over tokens and layers. */
export function hasFlow({ site }: SaeConfig): boolean {
  return site !== "MLP_OUT" && site !== "LN2_NORMALIZED";
}

/** What the flow to features is read from: their site, and the streams below it. */
export function sitesOfFlow(config: SaeConfig): SiteOfLayer[] {
  return [siteOfSae(config), ...sitesBelowSae(config)];
}

/** The sites of the residual stream below an autoencoder's site, except the first. */
export function sitesBelowSae(config: SaeConfig): SiteOfLayer[] {
  const { attention, mlp } = writersOfSae(config);
  return residualSites(attention).filter(({ site, layer }) =>
    site === "RESID_PRE" ? layer > 0 && layer <= mlp : layer < mlp
  );
}
