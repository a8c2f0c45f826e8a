import type { Architecture } from "../../requests/architecture/architecture.ts";
import { type Intervention, interventionsKey } from "../../requests/interventions/intervention.ts";
import { reachOf } from "../../requests/interventions/reach.ts";
import type { Activations, Lease } from "../activations/activations.ts";
import type { CacheUse } from "../activations/cache_use.ts";
import {
  allocateSites,
  keptRows,
  siteBytes,
  siteKey,
  type SiteOfLayer,
} from "../activations/kept_sites.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { Gpu } from "../gpu/device.ts";
import type { Forward } from "../model/forward.ts";
import { Owned } from "../gpu/owned.ts";
import { PromptUniform } from "../kernels/prompt.ts";
import { Readback } from "../gpu/readback.ts";
import { PassPieces } from "./pass_pieces.ts";
import { planChanged, type PlannedPass, planPlain, planSites, together } from "./plan.ts";
import type { PassEdits } from "./pass_edits.ts";
import { sourcesOf } from "./sources.ts";
import { Run, type RunParts } from "./run.ts";

/** A prompt that is to be run. */
export interface RunRequest {
  readonly ids: readonly number[];
  /** The run's interventions, in canonical form. */
  readonly interventions?: readonly Intervention[] | undefined;
}

/** Options of a run. */
export interface RunOptions {
  /** The sites that are kept beside patterns, keys and values. */
  readonly keep?: readonly SiteOfLayer[] | undefined;
  /** `keep` by default. */
  readonly cache?: CacheUse | undefined;
  /**
   * Whether no later layer is read than those of the sites. The passes of unchanged prompts then end there, or with the
   * layer if they are kept: a later run goes on from it.
   */
  readonly endsAtSites?: boolean | undefined;
  /** Whether the caller still waits; true if it is not given. */
  isWanted?(): boolean;
}

/** The interventions of one prompt's run, and which of its activations are needed. */
interface Need {
  readonly ids: readonly number[];
  readonly interventions: readonly Intervention[];
  readonly lease: Lease;
  readonly keep: Map<string, SiteOfLayer>;
}

/** Replaces interventions that depend on a prompt's unchanged run by others that don't. */
export interface Resolver {
  resolve(
    ids: readonly number[],
    interventions: readonly Intervention[],
    options: RunOptions,
  ): Promise<readonly Intervention[]>;
}

/** The one way to run the model: computes the missing activations of some prompts, then what is read from them. */
export class Passes {
  readonly pieces: PassPieces;
  readonly #parts: RunParts;
  readonly #architecture: Architecture;
  readonly #activations: Activations;
  readonly #passEdits: PassEdits;
  /** Replaces interventions on features. */
  resolver: Resolver | undefined;

  /** @param parts The forward pass, what it leaves, what is changed on the way, and how passes are cut into pieces. */
  constructor(
    gpu: Gpu,
    architecture: Architecture,
    parts: {
      readonly forward: Forward;
      readonly activations: Activations;
      readonly passEdits: PassEdits;
      readonly pieces?: PassPieces | undefined;
    },
  ) {
    const { forward, activations, passEdits, pieces } = parts;
    this.pieces = pieces ?? new PassPieces(architecture.layers);
    this.#architecture = architecture;
    this.#activations = activations;
    this.#passEdits = passEdits;
    this.#parts = {
      gpu,
      architecture,
      forward,
      pieces: this.pieces,
      prompts: new PromptUniform(gpu.device, 32),
      readback: new Readback(gpu.device),
      lastRun: { submitted: 0, read: 0 },
    };
  }

  /** When the last run was submitted and when it was read back, in ms since 1970. */
  get lastRun(): { readonly submitted: number; readonly read: number } {
    return this.#parts.lastRun;
  }

  /**
   * Runs the model over some prompts, unless their activations are cached.
   *
   * @param prompts Each of them once.
   * @param after Reads from the activations. Its first commands go into one submission with the passes. If it succeeds,
   *   the activations are cached; otherwise nothing of the request is kept.
   * @throws {AllocationError} If the device has no room.
   * @throws {InfoflowError} CANCELLED, between two stages, if the caller no longer waits.
   */
  async run<T>(
    prompts: readonly RunRequest[],
    options: RunOptions,
    after: (run: Run) => Promise<T>,
  ): Promise<T> {
    const resolved = await this.#resolve(prompts, options);
    using held = new DisposableStack();
    const needs = await this.#needs(prompts, options, held);
    using owned = new Owned();
    const leavesNothing = options.endsAtSites === true && options.cache === "none";
    const planned = await this.#plan([...needs.values()], { owned, resolved, leavesNothing });
    const run = new Run(this.#parts, {
      passes: planned.passes,
      isWanted: () => options.isWanted?.() ?? true,
      prompts: prompts.map((prompt) => {
        const need = needs.get(keyOf(prompt))!;
        const { ids, lease: { activations, base, first } } = need;
        const typedOn = base !== activations && base?.ids.length === first ? base : undefined;
        return { ids, activations, typedOn, cacheHit: !planned.computed.has(need) };
      }),
    });
    const result = await after(run);
    await run.end();
    for (const { ids, keep, lease } of needs.values()) {
      for (const key of keep.keys()) {
        const kept = lease.activations.sites.get(key)!;
        kept.rows = Math.max(kept.rows, ids.length);
      }
      lease.keep();
    }
    return result;
  }

  /** Replaces interventions on features; the results by the key of the run. */
  async #resolve(
    prompts: readonly RunRequest[],
    options: RunOptions,
  ): Promise<ReadonlyMap<string, readonly Intervention[]>> {
    const resolved = new Map<string, readonly Intervention[]>();
    for (const prompt of prompts) {
      const { ids, interventions = [] } = prompt;
      if (!this.resolver || !interventions.some(({ feature }) => feature)) continue;
      resolved.set(keyOf(prompt), await this.resolver.resolve(ids, interventions, options));
    }
    return resolved;
  }

  /** Takes leases for the prompts, and for the unchanged runs that changed ones begin with or take values from. */
  async #needs(
    prompts: readonly RunRequest[],
    { keep = [], cache = "keep", endsAtSites = false }: RunOptions,
    held: DisposableStack,
  ): Promise<Map<string, Need>> {
    const needs = new Map<string, Need>();
    // Changed runs copy from the unchanged one, in all layers.
    const isPlain = prompts.every(({ interventions = [] }) => interventions.length === 0);
    const { layers: all } = this.#architecture;
    const layers = endsAtSites && isPlain && cache !== "none" ? layersOf(keep) : all;
    const need = async (request: RunRequest, sites: readonly SiteOfLayer[]): Promise<Need> => {
      const key = keyOf(request);
      const { ids, interventions = [] } = request;
      const variant = interventionsKey(interventions);
      const known = needs.get(key);
      const lease = known?.lease ??
        held.use(await this.#activations.get(ids, { variant, cache, layers }));
      const needed = known ?? { ids, interventions, lease, keep: new Map() };
      const end: SiteOfLayer[] = lease.layers < all
        ? [{ site: "RESID_PRE", layer: lease.layers }]
        : [];
      for (const site of [...sites, ...end]) needed.keep.set(siteKey(site), site);
      needs.set(key, needed);
      return needed;
    };
    for (const prompt of prompts) {
      const { ids, interventions = [], lease } = await need(prompt, keep);
      if (interventions.length === 0) continue;
      const isThere = lease.first === ids.length &&
        keptRows(lease.activations, keep) >= ids.length;
      if (isThere) continue;
      const { layer } = reachOf(interventions);
      const stream: SiteOfLayer[] = layer > 0 ? [{ site: "RESID_PRE", layer }] : [];
      await need({ ids }, [...keep, ...stream]);
      for (const { ids: from, sites } of sourcesOf(ids, interventions)) {
        await need({ ids: from }, sites);
      }
    }
    return needs;
  }

  /** Allocates the kept sites, and plans the passes in their order. */
  async #plan(
    needs: readonly Need[],
    { owned, resolved, leavesNothing }: {
      readonly owned: Owned;
      readonly resolved: ReadonlyMap<string, readonly Intervention[]>;
      readonly leavesNothing: boolean;
    },
  ): Promise<{ readonly passes: PlannedPass[]; readonly computed: ReadonlySet<Need> }> {
    const computed = new Set<Need>();
    const plains: PlannedPass[] = [];
    const changed: PlannedPass[] = [];
    for (const need of needs) await this.#makeSites(need);
    const plainOf = (ids: readonly number[]): PromptActivations =>
      needs.find((it) => it.interventions.length === 0 && it.ids.join() === ids.join())!
        .lease.activations;
    for (const need of needs) {
      const { ids, interventions, lease } = need;
      const keep = [...need.keep.values()];
      let passes: PlannedPass[];
      if (interventions.length === 0) {
        passes = planPlain(lease, keep, this.#architecture);
        plains.push(...passes);
      } else {
        passes = [];
        const isThere = lease.first === ids.length;
        if (!isThere || keptRows(lease.activations, keep) < ids.length) {
          const changesOfRun = resolved.get(keyOf(need)) ?? interventions;
          const edits = await this.#passEdits.edits(changesOfRun, { ids, plainOf, owned });
          const reach = reachOf(interventions);
          const changes = { plain: plainOf(ids), reach, keep, edits };
          passes = isThere
            ? [planSites({ ids, activations: lease.activations, first: 0 }, keep, edits)]
            : [planChanged(lease, changes, this.#architecture)];
        }
        changed.push(...passes);
      }
      if (passes.length > 0) computed.add(need);
    }
    const joined = together(plains);
    const first = leavesNothing ? joined.map((pass) => ({ ...pass, layersMade: 0 })) : joined;
    return { passes: [...first, ...changed], computed };
  }

  async #makeSites({ lease: { activations }, keep }: Need): Promise<void> {
    const { sites, capacity, layerBytes } = activations;
    const missing = [...keep.values()].filter((site) => !sites.has(siteKey(site)));
    if (missing.length === 0) return;
    this.#activations.makeRoom(missing.length * siteBytes(this.#architecture, capacity));
    const size = { sites, capacity, layerBytes, keep: missing };
    await allocateSites(this.#parts.gpu.device, this.#architecture, size);
  }
}

/** The number of layers, from the first, after which all of the sites are there. */
function layersOf(sites: readonly SiteOfLayer[]): number {
  return Math.max(
    ...sites.map(({ site, layer }) => site === "RESID_PRE" ? layer : layer + 1),
  );
}

function keyOf({ ids, interventions = [] }: RunRequest): string {
  return `${ids.join()}/${interventionsKey(interventions)}`;
}
