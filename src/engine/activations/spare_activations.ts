import type { CacheUse } from "./cache_use.ts";
import type { PromptActivations } from "./prompt_activations.ts";

/** The most bytes kept for later prompts; beyond it, memory is freed. */
const MOST_BYTES = 32 * 2 ** 20;

/** Reuses the memory of prompts that are not cached, because allocating it again takes as long as a pass. */
export class SpareActivations {
  readonly #spare: PromptActivations[] = [];
  #bytes = 0;

  /** Frees memory, or keeps it for later prompts. */
  give(activations: PromptActivations, cache: CacheUse): void {
    activations.forget();
    const isFull = this.#bytes + activations.bytes > MOST_BYTES;
    if (cache === "keep" || isFull) return activations.destroy(); // of a request that failed
    this.#bytes += activations.bytes;
    this.#spare.push(activations);
  }

  /** Frees all memory. @returns Whether there was any. */
  release(): boolean {
    const hadSome = this.#spare.length > 0;
    for (const activations of this.#spare.splice(0)) activations.destroy();
    this.#bytes = 0;
    return hadSome;
  }

  /** Memory for `capacity` tokens, if there is any. */
  take(capacity: number): PromptActivations | undefined {
    const at = this.#spare.findIndex((it) => it.capacity === capacity);
    if (at < 0) return undefined;
    const [taken] = this.#spare.splice(at, 1);
    this.#bytes -= taken!.bytes;
    return taken;
  }
}
