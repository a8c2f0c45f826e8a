// Copyright 2026 the Infoflow authors. MIT license.

const FEW = 8;

/**
 * The keys of an object so far. Most objects of a header have the three keys of a tensor: comparing
 * those is several times faster than hashing them into a set.
 */
export class KeySet {
  readonly #few: string[] = [];
  #many: Set<string> | undefined;

  /** Is a key in the set? */
  has(key: string): boolean {
    return this.#many?.has(key) ?? this.#few.includes(key);
  }

  /** Adds a key that is not in the set. */
  add(key: string): void {
    if (this.#many === undefined && this.#few.length < FEW) this.#few.push(key);
    else (this.#many ??= new Set(this.#few)).add(key);
  }
}
