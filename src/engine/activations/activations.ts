import type { CacheUse } from "./cache_use.ts";
import { evictWith } from "../gpu/allocate.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { ActivationCache, CacheStats, Hold } from "./cache.ts";
import { SpareActivations } from "./spare_activations.ts";
import {
  activationBytes,
  allocateActivations,
  capacityFor,
  type PromptActivations,
} from "./prompt_activations.ts";

/** A prompt's activations in use: they are not evicted before they are disposed of. */
export interface Lease extends Disposable {
  readonly ids: readonly number[];
  readonly activations: PromptActivations;
  /** The first position whose patterns must be computed; the number of tokens if all are cached. */
  readonly first: number;
  /** The activations that hold the positions before `first`; may be `activations` itself. */
  readonly base: PromptActivations | undefined;
  /** The number of layers, from the first, whose patterns, keys and values are to be there in the end. */
  readonly layers: number;
  /** Keeps the activations for later requests once the patterns are computed; without this call they are dropped. */
  keep(): void;
}

/**
 * If a smaller share than this of a prompt is cached, the whole prompt is computed. The share is larger for prompts of
 * jobs, because one pass over many whole prompts is faster than a pass for the rest of each.
 */
const WORTHWHILE: Readonly<Record<CacheUse, number>> = { keep: 1 / 4, look: 3 / 4, none: 1 };

/** The activations of a model's prompts on the device: finds cached ones and allocates new ones. */
export class Activations {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #model: string;
  readonly #cache: ActivationCache<PromptActivations>;
  /** Memory for prompts whose activations are not kept. */
  readonly #spare = new SpareActivations();
  /** Activations to which a lease is adding positions; only one lease may do so at a time. */
  readonly #growing = new Set<PromptActivations>();

  /**
   * @param model The model, and its fingerprint.
   * @param cache Where they are, beside those of other models.
   */
  constructor(
    device: GPUDevice,
    { architecture, fingerprint }: {
      readonly architecture: Architecture;
      readonly fingerprint: string;
    },
    cache: ActivationCache<PromptActivations>,
  ) {
    this.#device = device;
    this.#architecture = architecture;
    this.#model = fingerprint;
    this.#cache = cache;
    evictWith(device, () => this.#spare.release());
  }

  /** The counters of the cache. */
  get stats(): CacheStats {
    return this.#cache.stats;
  }

  /** Counts requests whose prompt was computed for another request of the same batch. */
  countHits(count: number): void {
    this.#cache.countHits(count);
  }

  /** Evicts other prompts until `bytes` more fit into the budget. */
  makeRoom(bytes: number): void {
    this.#cache.makeRoom(bytes);
  }

  /** Counts bytes that stay on the device as long as the engine. */
  reserve(bytes: number): void {
    this.#cache.reserve(bytes);
  }

  /**
   * Finds a prompt's activations, or those of its beginning, and makes room for the rest.
   *
   * @param options The key of the run's interventions; of a changed run only the whole prompt is reused. How many
   *   layers are needed, from the first: all by default.
   * @throws {AllocationError} If the device can't hold them.
   */
  async get(
    ids: readonly number[],
    { variant = "", cache = "keep", layers = this.#architecture.layers }: {
      variant?: string;
      cache?: CacheUse;
      layers?: number;
    } = {},
  ): Promise<Lease> {
    const isEnough = ({ layersMade }: PromptActivations): boolean => layersMade >= layers;
    const found = cache === "none"
      ? undefined
      : this.#cache.find(ids, { model: this.#model, variant, isEnough });
    const shared = found?.shared ?? 0;
    const least = variant === "" ? WORTHWHILE[cache] * ids.length : ids.length;
    // A beginning of which too few layers are there is not gone on with: the whole prompt takes one pass.
    const isOfUse = found && shared >= least &&
      (shared === ids.length || isEnough(found.hold.value));
    if (!isOfUse) {
      found?.hold.release();
      const activations = await this.#make(ids.length, cache);
      return this.#inNew(ids, { activations, variant, cache, layers });
    }
    const { hold } = found;
    const base = hold.value;
    if (shared === ids.length) return known(ids, hold, Math.max(layers, base.layersMade));
    const isTypedOn = shared === base.ids.length && cache === "keep";
    if (isTypedOn && ids.length <= base.capacity && !this.#growing.has(base)) {
      return this.#grown(ids, hold);
    }
    try {
      const activations = await this.#make(ids.length, cache);
      const lease = this.#inNew(ids, {
        activations,
        variant,
        cache,
        // What replaces an entry has all that the entry had.
        layers: isTypedOn ? base.layersMade : layers,
      });
      let isKept = false;
      return {
        ...lease,
        first: shared,
        base,
        keep: () => {
          lease.keep();
          isKept = true;
        },
        [Symbol.dispose]: () => {
          // The new activations contain all that the old ones do.
          if (isKept && isTypedOn) hold.discard();
          else hold.release();
          lease[Symbol.dispose]();
        },
      };
    } catch (error) {
      hold.release();
      throw error;
    }
  }

  /** Extends the activations of the prompt's beginning in place, if they have room. */
  #grown(ids: readonly number[], { value, release }: Hold<PromptActivations>): Lease {
    this.#growing.add(value);
    return {
      ids,
      activations: value,
      first: value.ids.length,
      base: value,
      layers: value.layersMade,
      keep: () => {
        value.ids = ids;
      },
      [Symbol.dispose]: () => {
        this.#growing.delete(value);
        release();
      },
    };
  }

  #inNew(
    ids: readonly number[],
    { activations, variant, cache, layers }: {
      readonly activations: PromptActivations;
      readonly variant: string;
      readonly cache: CacheUse;
      readonly layers: number;
    },
  ): Lease {
    activations.variant = variant;
    let isKept = false;
    return {
      ids,
      activations,
      first: 0,
      base: undefined,
      layers,
      keep: () => {
        activations.layersMade = layers;
        isKept = cache === "keep";
      },
      [Symbol.dispose]: () => {
        if (!isKept) return this.#spare.give(activations, cache);
        activations.ids = ids;
        this.#cache.add(activations).release();
      },
    };
  }

  /**
   * Allocates a prompt's activations, reusing an evicted prompt's memory where possible. Activations that will not be
   * cached evict no others.
   */
  async #make(tokens: number, cache: CacheUse): Promise<PromptActivations> {
    const capacity = capacityFor(tokens);
    const model = this.#model;
    if (cache !== "keep") {
      return this.#spare.take(capacity) ??
        await allocateActivations(this.#device, this.#architecture, { model, capacity });
    }
    const taken = this.#cache.makeRoom(
      activationBytes(this.#architecture, capacity),
      (evicted) => evicted.model === model && evicted.capacity === capacity,
    );
    taken?.forget();
    return taken ??
      await allocateActivations(this.#device, this.#architecture, { model, capacity });
  }
}

/** A prompt all of whose positions are cached. */
function known(
  ids: readonly number[],
  { value, release }: Hold<PromptActivations>,
  layers: number,
): Lease {
  return {
    ids,
    activations: value,
    first: ids.length,
    base: value,
    layers,
    keep: () => {
      value.layersMade = Math.max(value.layersMade, layers);
    },
    [Symbol.dispose]: release,
  };
}
