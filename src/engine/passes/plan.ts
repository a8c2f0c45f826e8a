import type { Architecture } from "../../requests/architecture/architecture.ts";
import {
  copyKeysValues,
  copyPatterns,
  type PromptActivations,
} from "../activations/prompt_activations.ts";
import type { Lease } from "../activations/activations.ts";
import { copySites, keptRows, siteKey, type SiteOfLayer } from "../activations/kept_sites.ts";
import type { ForwardPass, SiteEdit } from "../model/pass.ts";

/** A prompt of a pass, before it has its rows. */
export interface PlannedPrompt {
  readonly ids: readonly number[];
  readonly activations: PromptActivations;
  readonly first: number;
  readonly base: PromptActivations | undefined;
}

/** A planned pass. */
export interface PlannedPass extends Omit<ForwardPass, "segments"> {
  readonly prompts: readonly PlannedPrompt[];
  /** Records the copy of cached activations before the pass. */
  readonly copy?: (encoder: GPUCommandEncoder) => void;
}

/**
 * Plans the passes that compute what is missing of an unchanged run. The memory of kept sites is allocated; if the run
 * ends before the model's last layer, the stream there is one of them.
 */
export function planPlain(
  lease: Lease,
  keep: readonly SiteOfLayer[],
  { heads }: Architecture,
): PlannedPass[] {
  const { ids, activations, first, base, layers: layersMade } = lease;
  if (first === ids.length && activations.layersMade < layersMade) {
    const further = planFurther(lease, keep);
    const others = keep.filter((site) => !further.keep.includes(site));
    if (keptRows(activations, others) >= ids.length) return [further];
    return [further, planSites({ ids, activations, first: 0 }, others)];
  }
  const copied = base && base !== activations && first < ids.length
    ? { source: base, target: activations, rows: first, layers: [0, layersMade] as const }
    : undefined;
  // Scores are not copied but computed again.
  const isCopied = !keep.some(({ site }) => site === "SCORES");
  const there = !copied
    ? keptRows(activations, keep)
    : isCopied
    ? Math.min(first, keptRows(copied.source, keep))
    : 0;
  const copy = copied && ((encoder: GPUCommandEncoder): void => {
    copyPatterns(encoder, copied, heads);
    copySites(encoder, { ...copied, rows: there, keep });
  });
  const whole = { firstLayer: 0, makesPatterns: true, layersMade, edits: [] };
  const passes: PlannedPass[] = [];
  const prompt = { ids, activations, first, base };
  if (first < ids.length) {
    const isEnough = there >= first;
    passes.push({ ...whole, prompts: [prompt], keep: isEnough ? keep : [], ...(copy && { copy }) });
    if (isEnough) return passes;
  }
  if (there >= ids.length) return passes;
  return [...passes, planSites({ ids, activations, first: there }, keep)];
}

/** Plans the pass that goes on where the pass of a cached prompt ended, from the stream that was kept there. */
function planFurther({ activations, layers }: Lease, keep: readonly SiteOfLayer[]): PlannedPass {
  const { ids, layersMade: firstLayer } = activations;
  return {
    prompts: [{ ids, activations, first: 0, base: activations }],
    firstLayer,
    makesPatterns: true,
    layersMade: layers,
    keep: keep.filter(({ site, layer }) => {
      return layer >= firstLayer && !(site === "RESID_PRE" && layer === firstLayer);
    }),
    edits: [],
  };
}

/** Plans a pass over a prompt whose patterns, keys and values are cached, from the nearest cached stream. */
export function planSites(
  { ids, activations, first }: Omit<PlannedPrompt, "base">,
  keep: readonly SiteOfLayer[],
  edits: readonly SiteEdit[] = [],
): PlannedPass {
  const missing = keep.filter((site) => keptRows(activations, [site]) < ids.length);
  const lowest = Math.min(
    ...missing.map(({ site, layer }) => site === "RESID_POST" ? layer + 1 : layer),
  );
  let firstLayer = 0;
  for (let layer = lowest; layer > 0 && firstLayer === 0; layer--) {
    const isKept = keptRows(activations, [{ site: "RESID_PRE", layer }]) >= ids.length;
    if (isKept) firstLayer = layer;
  }
  const prompt = { ids, activations, first, base: activations };
  // The kept stream that the pass begins with already contains the edits made at its site.
  const isDone = ({ site, layer }: SiteEdit): boolean =>
    firstLayer > 0 &&
    siteKey({ site, layer }) === siteKey({ site: "RESID_PRE", layer: firstLayer });
  const others = edits.filter((edit) => !isDone(edit));
  return {
    prompts: [prompt],
    firstLayer,
    makesPatterns: false,
    layersMade: 0,
    keep: missing,
    edits: others,
  };
}

/**
 * Plans the pass of a changed run: below its first layer, and before its first position, everything is copied from the
 * unchanged run.
 */
export function planChanged(
  { ids, activations }: Lease,
  { plain, reach, keep, edits }: {
    /** The unchanged run's activations, with the stream before the first layer and all kept sites. */
    readonly plain: PromptActivations;
    readonly reach: { readonly layer: number; readonly position: number };
    readonly keep: readonly SiteOfLayer[];
    readonly edits: readonly SiteEdit[];
  },
  { layers, heads }: Architecture,
): PlannedPass {
  const { layer: firstLayer, position: first } = reach;
  const copy = (encoder: GPUCommandEncoder): void => {
    const both = { source: plain, target: activations };
    const below = { ...both, rows: ids.length, layers: [0, firstLayer] as const };
    const before = { ...both, rows: first, layers: [firstLayer, layers] as const };
    copyPatterns(encoder, below, heads);
    copyKeysValues(encoder, below);
    copyPatterns(encoder, before, heads);
    const isBelow = ({ site, layer }: SiteOfLayer): boolean =>
      layer < firstLayer && !(site === "RESID_POST" && layer === firstLayer - 1);
    copySites(encoder, { ...both, rows: ids.length, keep: keep.filter(isBelow) });
    copySites(encoder, { ...both, rows: first, keep: keep.filter((it) => !isBelow(it)) });
  };
  const prompts = [{ ids, activations, first, base: plain }];
  return { prompts, firstLayer, makesPatterns: true, layersMade: layers, keep, edits, copy };
}

/** Puts prompts that are run from their beginning, to the same layer and sites, into one pass, which is the last. */
export function together(passes: readonly PlannedPass[]): PlannedPass[] {
  const isWhole = (pass: PlannedPass): boolean =>
    pass.makesPatterns && pass.firstLayer === 0 && pass.copy === undefined &&
    pass.edits.length === 0 && pass.prompts.every(({ first }) => first === 0);
  const keys = ({ keep, layersMade }: PlannedPass): string =>
    [layersMade, ...keep.map(siteKey)].join();
  const last = passes.findLast(isWhole);
  if (!last) return [...passes];
  const joins = (pass: PlannedPass): boolean => isWhole(pass) && keys(pass) === keys(last);
  const prompts = passes.filter(joins).flatMap((pass) => pass.prompts);
  return [...passes.filter((pass) => !joins(pass)), { ...last, prompts }];
}
