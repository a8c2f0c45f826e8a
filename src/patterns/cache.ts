/** What the cache holds: something on the device that has a size and can be given back. */
export interface Cached {
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

/** An entry in use: it is not evicted before it is released. */
export interface Lease<T> {
  readonly value: T;
  /** Gives the entry back to the cache; more than once is no harm. */
  release(): void;
}

interface Slot<T> {
  readonly value: T;
  leases: number;
}

/**
 * Keeps entries up to a budget of bytes and destroys the least recently used ones beyond it, but never one that is
 * leased. An entry larger than the whole budget lives as long as its lease.
 */
export class PatternCache<T extends Cached> {
  // A Map remembers the order of insertion: the first key is the least recently used.
  readonly #slots = new Map<string, Slot<T>>();
  readonly #budget: number;
  #bytes = 0;
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
      bytes: this.#bytes,
      budget: this.#budget,
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
    };
  }

  /** Takes an entry for use, and counts a hit or a miss. */
  lease(key: string): Lease<T> | undefined {
    const slot = this.#slots.get(key);
    if (!slot) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    return this.#lease(slot);
  }

  /**
   * Adds an entry that is not there yet, in use by whoever adds it.
   *
   * @throws {TypeError} If the key is taken.
   */
  add(key: string, value: T): Lease<T> {
    if (this.#slots.has(key)) throw new TypeError(`Cannot add ${key} to the cache as it is there`);
    const slot = { value, leases: 0 };
    this.#slots.set(key, slot);
    this.#bytes += value.bytes;
    return this.#lease(slot);
  }

  /** Evicts entries until `bytes` more fit into the budget, as far as entries can go. */
  makeRoom(bytes: number): void {
    while (this.#bytes + bytes > this.#budget && this.evict());
  }

  /**
   * Destroys the least recently used entry that nobody uses.
   *
   * @returns Whether there was one.
   */
  evict(): boolean {
    for (const [key, slot] of this.#slots) {
      if (slot.leases > 0) continue;
      this.#slots.delete(key);
      this.#bytes -= slot.value.bytes;
      this.#evictions++;
      slot.value.destroy();
      return true;
    }
    return false;
  }

  #lease(slot: Slot<T>): Lease<T> {
    slot.leases++;
    let isHeld = true;
    return {
      value: slot.value,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        slot.leases--;
        this.makeRoom(0);
      },
    };
  }
}
