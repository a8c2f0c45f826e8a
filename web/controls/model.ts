import { byId, html } from "../draw/elements.ts";
import type { ServerCard } from "../server/reading.ts";

/** The model that comes with Infoflow, so that everything works without a download. */
const DEMO = "bundled";

/** The model that answers; where there are several, one can be picked. */
export class ModelPicker {
  readonly #select = byId("model", HTMLSelectElement);
  readonly #name = byId("model-name", HTMLElement);
  readonly #size = byId("model-size", HTMLElement);
  readonly #demo = byId("demo", HTMLElement);

  constructor(choose: (model: string) => void) {
    this.#select.addEventListener("change", () => choose(this.#select.value));
  }

  /** Shows the models, and which of them is asked; the first where that is none of them. */
  show({ models, device }: ServerCard, asked: string | undefined): void {
    const model = models.find(({ name }) => name === asked) ?? models[0]!;
    const select = this.#select;
    const options = models.map(({ name }) =>
      html("option", { value: name, title: name }, baseName(name))
    );
    if (select.textContent !== options.map(({ textContent }) => textContent).join("")) {
      select.replaceChildren(...options);
    }
    select.value = model.name;
    select.hidden = models.length < 2;
    this.#name.textContent = select.hidden ? baseName(model.name) : "";
    this.#name.title = model.name;
    this.#demo.hidden = model.name !== DEMO;
    this.#size.textContent = `${model.layers} layers × ${model.heads} heads, ${
      device.isFallback ? "on the processor" : `on ${device.description}`
    }`;
  }
}

/** Of a directory's path the last part; names of the hub stay whole. */
export function baseName(name: string): string {
  const isPath = /^(\/|\.|[A-Za-z]:[\\/])/.test(name);
  return isPath ? name.split(/[\\/]/).filter(Boolean).at(-1) ?? name : name;
}
