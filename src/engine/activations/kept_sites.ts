import type { Architecture } from "../../requests/architecture/architecture.ts";
import { isSquare, type Site } from "../../requests/interventions/sites.ts";
import { allocateTexture, TEXEL } from "../gpu/allocate.ts";

/** A site of one layer. RESID_PRE of layer L is the residual stream after the last layer. */
export interface SiteOfLayer {
  readonly site: Site;
  readonly layer: number;
}

/** What is kept at a site of a layer: a vector for each position. */
export interface KeptRows {
  /** (capacity, C), four channels a texel. */
  readonly texture: GPUTexture;
  /** How many of the first positions are there. */
  rows: number;
  readonly bytes: number;
}

/** What sites of a prompt are kept. */
export interface HasSites {
  /** By their keys. */
  readonly sites: ReadonlyMap<string, KeptRows>;
}

/** The name of a site; RESID_POST of a layer and RESID_PRE of the next are one place with one name. */
export function siteKey({ site, layer }: SiteOfLayer): string {
  return site === "RESID_POST" ? `RESID_PRE.${layer + 1}` : `${site}.${layer}`;
}

/** The whole residual stream: before each layer, in it between attention and MLP, and after the last. */
export function residualSites(layers: number): SiteOfLayer[] {
  const sites = Array.from({ length: layers }, (_, layer): SiteOfLayer[] => [
    { site: "RESID_PRE", layer },
    { site: "RESID_MID", layer },
  ]);
  return [...sites.flat(), { site: "RESID_PRE", layer: layers }];
}

/** How many bytes a site takes where there is room for `capacity` positions. */
export function siteBytes({ channels }: Architecture, capacity: number): number {
  return capacity * channels / 4 * TEXEL;
}

/** How many of a prompt's first positions are kept at all of some sites. */
export function keptRows(
  { sites }: HasSites,
  keep: readonly SiteOfLayer[],
): number {
  return Math.min(Infinity, ...keep.map((site) => sites.get(siteKey(site))?.rows ?? 0));
}

/**
 * What is kept at a site.
 *
 * @throws {TypeError} If nothing is: whoever reads it has to name it in `keep`.
 */
export function keptAt({ sites }: HasSites, site: SiteOfLayer): GPUTexture {
  const kept = sites.get(siteKey(site));
  if (kept) return kept.texture;
  throw new TypeError(`Cannot read ${siteKey(site)} as it was not kept`);
}

/**
 * Makes room at some sites.
 *
 * @throws {AllocationError} If the device has none.
 */
export async function allocateSites(
  device: GPUDevice,
  { channels }: Architecture,
  { sites, capacity, keep }: {
    readonly sites: Map<string, KeptRows>;
    readonly capacity: number;
    readonly keep: readonly SiteOfLayer[];
  },
): Promise<void> {
  for (const it of keep) {
    const label = siteKey(it);
    if (sites.has(label)) continue;
    if (isSquare(it.site)) throw new TypeError(`Cannot keep rows of ${label}`);
    const size = { label, width: channels / 4, height: capacity };
    const texture = await allocateTexture(device, size);
    sites.set(label, { texture, rows: 0, bytes: texture.width * texture.height * TEXEL });
  }
}

/** Records the copy of the first `rows` positions of some sites from one prompt's activations to another's. */
export function copySites(
  encoder: GPUCommandEncoder,
  { source, target, rows, keep }: {
    readonly source: HasSites;
    readonly target: HasSites;
    readonly rows: number;
    readonly keep: readonly SiteOfLayer[];
  },
): void {
  if (rows === 0) return;
  for (const site of keep) {
    const [from, to] = [keptAt(source, site), keptAt(target, site)];
    const width = Math.min(from.width, to.width);
    encoder.copyTextureToTexture({ texture: from }, { texture: to }, [width, rows]);
  }
}
