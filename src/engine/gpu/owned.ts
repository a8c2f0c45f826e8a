/** Buffers and textures that are destroyed together at the end of a block, unless they are kept. */
export class Owned implements Disposable {
  readonly #stack = new DisposableStack();

  /** Adds a buffer, a texture, or something made of them. */
  add<T extends { destroy(): void }>(it: T): T {
    return this.#stack.adopt(it, () => it.destroy());
  }

  /**
   * Keeps them beyond the end of the block.
   *
   * @returns A function that destroys them.
   */
  keep(): () => void {
    const kept = this.#stack.move();
    return () => kept.dispose();
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
