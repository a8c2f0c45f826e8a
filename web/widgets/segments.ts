import { html } from "../draw/elements.ts";

/** Two or three buttons of which one is pressed. */
export class Segments<Value extends string> {
  readonly element: HTMLElement;
  readonly #buttons: readonly HTMLButtonElement[];

  constructor(
    label: string,
    choices: Readonly<Record<Value, string>>,
    choose: (value: Value) => void,
  ) {
    const pairs = Object.entries(choices) as [Value, string][];
    this.#buttons = pairs.map(([value, name]) => {
      const button = html("button", { type: "button", value }, name);
      button.addEventListener("click", () => choose(value));
      return button;
    });
    this.element = html(
      "div",
      { class: "segments", role: "group", "aria-label": label },
      ...this.#buttons,
    );
  }

  /** Shows which one holds. */
  show(value: Value): void {
    for (const button of this.#buttons) {
      button.setAttribute("aria-pressed", String(button.value === value));
    }
  }
}
