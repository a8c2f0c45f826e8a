import { html } from "../draw/elements.ts";
import { EXAMPLES } from "../examples.ts";

/** Where the prompt is written, or taken from the examples. */
export class PromptBox {
  readonly #box: HTMLTextAreaElement;

  constructor(
    { box, examples }: { box: HTMLTextAreaElement; examples: HTMLElement },
    { type, pick }: { type: (prompt: string) => void; pick: (prompt: string) => void },
  ) {
    this.#box = box;
    box.addEventListener("input", () => type(box.value));
    for (const { name, prompt } of EXAMPLES) {
      const button = html("button", { type: "button", title: prompt }, name);
      button.addEventListener("click", () => pick(prompt));
      examples.append(button);
    }
  }

  /** Shows a prompt; what is being typed is that already. */
  show(prompt: string): void {
    if (this.#box.value !== prompt) this.#box.value = prompt;
  }
}
