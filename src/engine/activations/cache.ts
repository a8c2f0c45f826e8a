/** An entry of the cache: data about a prompt on the device, with a size in bytes. */
export interface Cached {
  /** The prompt's tokens. */
  readonly ids: readonly number[];
  /** The model's fingerprint; other models don't find the entry. */
  readonly model: string;
  /** The key of the run's interventions; only entries with an equal key are found. */
  readonly variant: string;
  /** It may grow while the entry is held. */
  readonly bytes: number;
  destroy(): void;
}

/** The counters of a cache. */
export interface CacheStats {
  readonly entries: number;
  readonly bytes: number;
  readonly budget: number;
  readonly hits: number;
  readonly misses: number;
  readonly evictions: number;
}

/** An entry in use, which is not evicted until it is released. */
export interface Hold<T> {
  readonly value: T;
  /** Gives the entry back to the cache; calling it again does nothing. */
  release(): void;
  /** Gives the entry back and destroys it once no one holds it: another entry contains the same data. */
  discard(): void;
}

/** The entry with the longest common beginning. */
export interface CachedPrompt<T> {
  readonly hold: Hold<T>;
  /** The number of common first tokens. */
  readonly shared: number;
}

interface Slot<T> {
  readonly value: T;
  holds: number;
}

/**
 * Keeps entries up to a budget of bytes and evicts the least recently used ones beyond it, but none that is held. An
 * entry larger than the whole budget lives as long as its hold.
 */
export class ActivationCache<T extends Cached> {
  // A Set remembers the order of insertion: the first is the least recently used.
  readonly #slots = new Set<Slot<T>>();
  readonly #budget: number;
  #reserved = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  /** @param budget Bytes. */
  constructor(budget: number) {
    this.#budget = budget;
  }

  /** The current counters. */
  get stats(): CacheStats {
    return {
      entries: this.#slots.size,
      bytes: this.#bytes(),
      budget: this.#budget,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
    };
  }

  /**
   * Finds the entry with the longest common beginning; of equals, the last used. It counts as a hit if that is the
   * whole prompt and has all that is needed, and as a miss otherwise.
   */
  find(
    ids: readonly number[],
    { model = "", variant = "", isEnough = () => true }: {
      readonly model?: string;
      readonly variant?: string;
      isEnough?(value: T): boolean;
    } = {},
  ): CachedPrompt<T> | undefined {
    let best: Slot<T> | undefined;
    let shared = 0;
    for (const slot of this.#slots) {
      if (slot.value.variant !== variant || slot.value.model !== model) continue;
      const common = commonBeginning(slot.value.ids, ids);
      if (common > 0 && common >= shared) {
        best = slot;
        shared = common;
      }
    }
    if (best && shared === ids.length && isEnough(best.value)) this.#hits++;
    else this.#misses++;
    if (!best) return undefined;
    this.#slots.delete(best);
    this.#slots.add(best);
    return { hold: this.#hold(best), shared };
  }

  /** Counts hits that were found without a lookup. */
  countHits(count: number): void {
    this.#hits += count;
  }

  /** Adds an entry, which the caller holds. */
  add(value: T): Hold<T> {
    const slot = { value, holds: 0 };
    this.#slots.add(slot);
    return this.#hold(slot);
  }

  /**
   * Evicts entries until `bytes` more fit into the budget, or only held entries are left.
   *
   * @param isFitting Whether an entry's memory suits the new one; the first such entry is returned and not destroyed.
   * @returns That entry, which is the caller's now.
   */
  makeRoom(bytes: number, isFitting: (value: T) => boolean = () => false): T | undefined {
    while (this.#bytes() + bytes > this.#budget) {
      const victim = this.#victim();
      if (!victim) return undefined;
      this.#remove(victim);
      this.#evictions++;
      if (isFitting(victim.value)) return victim.value;
      victim.value.destroy();
    }
    return undefined;
  }

  /**
   * Destroys the least recently used entry that is not held.
   *
   * @returns Whether there was one.
   */
  evict(): boolean {
    const victim = this.#victim();
    if (!victim) return false;
    this.#remove(victim);
    this.#evictions++;
    victim.value.destroy();
    return true;
  }

  /** Takes bytes out of the budget for good, for other uses. */
  reserve(bytes: number): void {
    this.#reserved += bytes;
    this.makeRoom(0);
  }

  #bytes(): number {
    return this.#slots.values().reduce((sum, { value }) => sum + value.bytes, this.#reserved);
  }

  #victim(): Slot<T> | undefined {
    return this.#slots.values().find((slot) => slot.holds === 0);
  }

  #remove(slot: Slot<T>): void {
    this.#slots.delete(slot);
  }

  #hold(slot: Slot<T>): Hold<T> {
    slot.holds++;
    let isHeld = true;
    const release = (): void => {
      if (!isHeld) return;
      isHeld = false;
      slot.holds--;
      this.makeRoom(0);
    };
    return {
      value: slot.value,
      release,
      discard: () => {
        release();
        if (slot.holds > 0 || !this.#slots.has(slot)) return;
        this.#remove(slot);
        slot.value.destroy();
      },
    };
  }
}

function commonBeginning(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let common = 0;
  while (common < most && a[common] === b[common]) common++;
  return common;
}
