import { byId, html } from "../draw/elements.ts";
import type { ServerCard } from "../server/reading.ts";

/** What answers; where there are several models, one can be picked. */
export class ModelPicker {
  readonly #select = byId("model", HTMLSelectElement);
  readonly #name = byId("model-name", HTMLElement);
  readonly #size = byId("model-size", HTMLElement);

  constructor(choose: (model: string) => void) {
    this.#select.addEventListener("change", () => choose(this.#select.value));
  }

  /** Shows the models, and which of them is asked; the first where that is none of them. */
  show({ models, device }: ServerCard, asked: string | undefined): void {
    const model = models.find(({ name }) => name === asked) ?? models[0]!;
    const select = this.#select;
    select.replaceChildren(...models.map(({ name }) => html("option", { value: name }, name)));
    select.value = model.name;
    select.hidden = models.length < 2;
    this.#name.textContent = select.hidden ? model.name : "";
    this.#size.textContent = `${model.layers} layers × ${model.heads} heads, ${
      device.isFallback ? "on the processor" : `on ${device.description}`
    }`;
  }
}
