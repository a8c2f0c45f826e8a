import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Site } from "../../requests/interventions/sites.ts";
import { allocate, allocateTexture, TEXEL } from "../gpu/allocate.ts";

/** A site of one layer. RESID_PRE of layer L is the residual stream after the last layer. */
export interface SiteOfLayer {
  readonly site: Site;
  readonly layer: number;
}

/**
 * The activations kept at a site of a layer: a vector for each position, or at SCORES a number for each pair of
 * positions.
 */
export interface KeptSite {
  /** (capacity, C), four channels a texel; of SCORES a buffer, (H, T, T) packed as patterns are. */
  readonly memory: GPUTexture | GPUBuffer;
  /** The number of positions that are there, from the first. */
  rows: number;
  readonly bytes: number;
}

/** Something that keeps activations at sites. */
export interface HasSites {
  /** By their keys. */
  readonly sites: ReadonlyMap<string, KeptSite>;
}

/** The name of a site; RESID_POST of a layer and RESID_PRE of the next are the same and have one name. */
export function siteKey({ site, layer }: SiteOfLayer): string {
  return site === "RESID_POST" ? `RESID_PRE.${layer + 1}` : `${site}.${layer}`;
}

/** The whole residual stream: before each layer, between its attention and its MLP, and after the last layer. */
export function residualSites(layers: number): SiteOfLayer[] {
  const sites = Array.from({ length: layers }, (_, layer): SiteOfLayer[] => [
    { site: "RESID_PRE", layer },
    { site: "RESID_MID", layer },
  ]);
  return [...sites.flat(), { site: "RESID_PRE", layer: layers }];
}

/** The bytes of a site with room for `capacity` positions. */
export function siteBytes({ channels }: Architecture, capacity: number): number {
  return capacity * channels / 4 * TEXEL;
}

/** The number of positions, from the first, that are kept at all of the given sites. */
export function keptRows(
  { sites }: HasSites,
  keep: readonly SiteOfLayer[],
): number {
  return Math.min(Infinity, ...keep.map((site) => sites.get(siteKey(site))?.rows ?? 0));
}

/**
 * What is kept at a site.
 *
 * @throws {TypeError} If nothing is: a site that is read must be named in `keep`.
 */
export function keptAt({ sites }: HasSites, site: SiteOfLayer): GPUTexture {
  const kept = sites.get(siteKey(site))?.memory;
  if (kept instanceof GPUTexture) return kept;
  throw new TypeError(`Cannot read ${siteKey(site)} as it was not kept`);
}

/**
 * The scores that are kept of a layer, (H, T, T) packed as patterns are.
 *
 * @throws {TypeError} If they are not.
 */
export function keptScores({ sites }: HasSites, layer: number): GPUBuffer {
  const kept = sites.get(siteKey({ site: "SCORES", layer }))?.memory;
  if (kept instanceof GPUBuffer) return kept;
  throw new TypeError(`Cannot read the scores of layer ${layer} as they were not kept`);
}

/**
 * Allocates the activations of some sites.
 *
 * @throws {AllocationError} If the device has none.
 */
export async function allocateSites(
  device: GPUDevice,
  { channels }: Architecture,
  { sites, capacity, layerBytes, keep }: {
    readonly sites: Map<string, KeptSite>;
    readonly capacity: number;
    /** Of the patterns of a layer. */
    readonly layerBytes: number;
    readonly keep: readonly SiteOfLayer[];
  },
): Promise<void> {
  for (const it of keep) {
    const label = siteKey(it);
    if (sites.has(label)) continue;
    if (it.site === "PATTERN") throw new TypeError(`Cannot keep ${label} as it is kept anyway`);
    if (it.site === "SCORES") {
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const memory = await allocate(device, { label, bytes: layerBytes, usage });
      sites.set(label, { memory, rows: 0, bytes: layerBytes });
      continue;
    }
    const size = { label, width: channels / 4, height: capacity };
    const memory = await allocateTexture(device, size);
    sites.set(label, { memory, rows: 0, bytes: memory.width * memory.height * TEXEL });
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
