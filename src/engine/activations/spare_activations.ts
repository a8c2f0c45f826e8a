import type { PromptActivations } from "./prompt_activations.ts";

/** What is kept for the next prompts; beyond it, memory is given back. */
const MOST_BYTES = 32 * 2 ** 20;

/** Memory of prompts that were computed and forgotten, for others of their size: making it anew takes as long as a pass. */
export class SpareActivations {
  readonly #spare: PromptActivations[] = [];
  #bytes = 0;

  /** Gives memory back, or keeps it. */
  give(activations: PromptActivations): void {
    activations.forget();
    if (this.#bytes + activations.bytes > MOST_BYTES) return activations.destroy();
    this.#bytes += activations.bytes;
    this.#spare.push(activations);
  }

  /** Memory for so many tokens, if there is any. */
  take(capacity: number): PromptActivations | undefined {
    const at = this.#spare.findIndex((it) => it.capacity === capacity);
    if (at < 0) return undefined;
    const [taken] = this.#spare.splice(at, 1);
    this.#bytes -= taken!.bytes;
    return taken;
  }
}
