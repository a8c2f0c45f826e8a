/** What the cache holds: something about a prompt, on the device, that has a size and can be given back. */
export interface Cached {
  /** The prompt's tokens. */
  readonly ids: readonly number[];
  /** The model that it is of; only the same is found. */
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

/** An entry in use: it is not evicted before it is reheld. */
export interface Hold<T> {
  readonly value: T;
  /** Gives the entry back to the cache; more than once is no harm. */
  release(): void;
  /** Gives the entry back and destroys it once no one holds it: another entry contains the same data. */
  discard(): void;
}

/** The entry that knows most of a prompt's beginning. */
export interface CachedPrompt<T> {
  readonly hold: Hold<T>;
  /** How many of the first tokens they have in common. */
  readonly shared: number;
}

interface Slot<T> {
  readonly value: T;
  holds: number;
}

/**
 * Keeps entries up to a budget of bytes and gives up the least recently used ones beyond it, but never one that is
 * held. An entry larger than the whole budget lives as long as its hold.
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

  /** The counters as they stand. */
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
   * Finds the entry that has the longest beginning in common with a prompt; of equals, the last used. It counts as a
   * hit if that is the whole prompt, and as a miss otherwise.
   */
  find(ids: readonly number[], { model = "", variant = "" } = {}): CachedPrompt<T> | undefined {
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
    if (shared === ids.length) this.#hits++;
    else this.#misses++;
    if (!best) return undefined;
    this.#slots.delete(best);
    this.#slots.add(best);
    return { hold: this.#hold(best), shared };
  }

  /** Counts hits that needed no looking. */
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
   * Evicts entries until `bytes` more fit into the budget, as far as entries can go.
   *
   * @param isFitting Whether an entry can be had for the new one's memory; the first such is not destroyed.
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

  /** Takes bytes out of the budget for as long as the cache lives: something else needs them. */
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
