/** The most prompts that are remembered. */
const MOST = 1024;

/** The prompts that were answered last, whose patterns are likely still cached. It is only an estimate. */
export class RecentPrompts {
  // A Set remembers the order of insertion.
  readonly #keys = new Set<string>();

  /** Whether a prompt was among the last. */
  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Remembers a prompt. */
  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size > MOST) this.#keys.delete(this.#keys.values().next().value!);
  }

  /** Clears the list. */
  clear(): void {
    this.#keys.clear();
  }
}
