/** Where the prompt is written, or taken from the examples. */
export class PromptBox {
  readonly #box: HTMLTextAreaElement;

  constructor(
    { box, examples }: { box: HTMLTextAreaElement; examples: HTMLElement },
    { type, pick }: { type: (prompt: string) => void; pick: (prompt: string) => void },
  ) {
    this.#box = box;
    box.addEventListener("input", () => type(box.value));
    examples.addEventListener("click", ({ target }) => {
      if (target instanceof HTMLButtonElement) pick(target.value);
    });
  }

  /** Shows a prompt, unless the user is typing it. */
  show(prompt: string): void {
    if (this.#box.value !== prompt) this.#box.value = prompt;
  }
}
