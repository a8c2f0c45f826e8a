import { InfoflowError } from "../../errors.ts";
import { AllocationError } from "../gpu/allocate.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import { type CacheStats, PatternCache } from "../activations/cache.ts";
import {
  allocateEntry,
  capacityFor,
  entryBytes,
  type PatternEntry,
} from "../activations/prompt_activations.ts";

/** What is to be done so that all patterns of a prompt are in an entry. */
export interface PromptWork {
  readonly ids: readonly number[];
  readonly entry: PatternEntry;
  /** The first position to compute; the number of tokens where there is nothing to do. */
  readonly first: number;
  /** The entry that has the rows before that; it may be `entry` itself. */
  readonly base: PatternEntry | undefined;
  /** The patterns are there: they may be found from now on. */
  commit(): void;
  /** They are not: everything is as if nobody had asked. */
  abort(): void;
}

/** A prompt of which less than this share is known is computed from its beginning. */
const WORTHWHILE = 1 / 4;

/** Keeps a model's prompts on the device, and says what is left to compute for another one. */
export class PromptStore {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #model: string;
  readonly #cache: PatternCache<PatternEntry>;

  /**
   * @param model What is stored, and its fingerprint.
   * @param cache Where it is stored, beside what other models have there.
   */
  constructor(
    device: GPUDevice,
    { architecture, fingerprint }: {
      readonly architecture: Architecture;
      readonly fingerprint: string;
    },
    cache: PatternCache<PatternEntry>,
  ) {
    this.#device = device;
    this.#architecture = architecture;
    this.#model = fingerprint;
    this.#cache = cache;
  }

  /** The counters of the cache. */
  get stats(): CacheStats {
    return this.#cache.stats;
  }

  /** Counts requests about a prompt that another request has just brought. */
  countHits(count: number): void {
    this.#cache.countHits(count);
  }

  /**
   * Finds a prompt, or what is known of its beginning, and makes room for the rest.
   *
   * @param variant What is done to the model, such as heads that are switched off; it is found as a whole only.
   * @throws {InfoflowError} MATRIX_TOO_LARGE if the device can't hold its patterns.
   */
  async plan(ids: readonly number[], variant = ""): Promise<PromptWork> {
    if (variant !== "") return await this.#planVariant(ids, variant);
    const { lease, shared } = this.#cache.find(ids, { model: this.#model }) ??
      { lease: undefined, shared: 0 };
    if (!lease || shared < WORTHWHILE * ids.length) {
      lease?.release();
      return this.#inNewEntry(ids, await this.#makeEntry(ids.length));
    }
    const base = lease.value;
    if (shared === ids.length) {
      return { ids, entry: base, first: shared, base, commit: lease.release, abort: lease.release };
    }
    const isTypedOn = shared === base.ids.length;
    if (isTypedOn && ids.length <= base.capacity) {
      const commit = (): void => {
        base.ids = ids;
        lease.release();
      };
      return { ids, entry: base, first: shared, base, commit, abort: lease.release };
    }
    try {
      const work = this.#inNewEntry(ids, await this.#makeEntry(ids.length));
      return {
        ...work,
        first: shared,
        base,
        commit: () => {
          // What the old entry knows, the new one knows too.
          if (isTypedOn) lease.discard();
          else lease.release();
          work.commit();
        },
        abort: () => {
          lease.release();
          work.abort();
        },
      };
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  /** Makes room for a prompt that is computed from its beginning and forgotten at once. */
  async planAlone(ids: readonly number[]): Promise<PromptWork> {
    const capacity = capacityFor(ids.length);
    const entry = await this.withRoom(() =>
      allocateEntry(this.#device, this.#architecture, { model: this.#model, capacity })
    );
    const forget = (): void => entry.destroy();
    return { ids, entry, first: 0, base: undefined, commit: forget, abort: forget };
  }

  /**
   * Allocates, giving up prompts one by one where the device has no room.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE if there is none even so.
   */
  async withRoom<T>(allocate: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await allocate();
      } catch (error) {
        if (!(error instanceof AllocationError)) throw error;
        if (!error.isFinal && this.#cache.evict()) continue;
        throw new InfoflowError(
          "MATRIX_TOO_LARGE",
          `${error.message}; ask with a shorter prompt, or for fewer matrices of it`,
        );
      }
    }
  }

  /** Gives up other prompts for what is kept beside a prompt's patterns. */
  makeRoom(bytes: number): void {
    this.#cache.makeRoom(bytes);
  }

  /** Counts bytes that are on the device for good. */
  reserve(bytes: number): void {
    this.#cache.reserve(bytes);
  }

  async #planVariant(ids: readonly number[], variant: string): Promise<PromptWork> {
    const found = this.#cache.find(ids, { model: this.#model, variant });
    const { lease, shared } = found ?? { lease: undefined, shared: 0 };
    if (!lease || shared < ids.length) {
      lease?.release();
      return this.#inNewEntry(ids, await this.#makeEntry(ids.length), variant);
    }
    const { value: entry, release } = lease;
    return { ids, entry, first: shared, base: entry, commit: release, abort: release };
  }

  /** Makes an entry that is in no cache. */
  async #makeEntry(tokens: number): Promise<PatternEntry> {
    const capacity = capacityFor(tokens);
    const bytes = entryBytes(this.#architecture, capacity);
    const model = this.#model;
    const taken = this.#cache.makeRoom(
      bytes,
      (entry) => entry.model === model && entry.capacity === capacity,
    );
    if (taken) {
      taken.forget();
      return taken;
    }
    const size = { model, capacity };
    return await this.withRoom(() => allocateEntry(this.#device, this.#architecture, size));
  }

  #inNewEntry(ids: readonly number[], entry: PatternEntry, variant = ""): PromptWork {
    return {
      ids,
      entry,
      first: 0,
      base: undefined,
      commit: () => {
        entry.ids = ids;
        entry.variant = variant;
        this.#cache.add(entry).release();
      },
      abort: () => entry.destroy(),
    };
  }
}
