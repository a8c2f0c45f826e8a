import { byId, html } from "./draw/elements.ts";
import { EXAMPLES } from "./examples.ts";
import { bosOf, DEFAULT_STATE, type PageState } from "./page_state.ts";

/** Told of what somebody sets, and whether it is worth a step back in the browser's history. */
export type OnChange = (change: Partial<PageState>, step: "push" | "replace") => void;

const TYPING_PAUSE = 160;

/** What sets the state: the prompt, the examples, the views, the options. */
export class Controls {
  readonly #prompt = byId("prompt", HTMLTextAreaElement);
  readonly #views = [...byId("views", HTMLElement).querySelectorAll("button")];
  readonly #options = byId("options", HTMLFormElement);
  readonly #directions = [...byId("direction", HTMLElement).querySelectorAll("button")];

  constructor(onChange: OnChange) {
    let typing: number | undefined;
    this.#prompt.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => onChange(prompt(this.#prompt.value), "replace"), TYPING_PAUSE);
    });
    for (const { name, prompt: text } of EXAMPLES) {
      const button = html("button", { type: "button", title: text }, name);
      button.addEventListener("click", () => onChange(prompt(text), "push"));
      byId("examples", HTMLElement).append(button);
    }
    for (const view of this.#views) {
      view.addEventListener(
        "click",
        () => onChange({ view: view.dataset["view"] } as Partial<PageState>, "push"),
      );
      view.addEventListener("keydown", (event) => this.#onTabKey(event));
    }
    this.#options.addEventListener("change", ({ target }) => {
      if (target instanceof HTMLSelectElement) {
        onChange({ [target.name]: target.value } as Partial<PageState>, "push");
      }
    });
    this.#options.addEventListener("submit", (event) => event.preventDefault());
    for (const button of this.#directions) {
      button.addEventListener(
        "click",
        () => onChange({ direction: button.value } as Partial<PageState>, "replace"),
      );
    }
  }

  /** Shows a state in the controls. */
  show(state: PageState): void {
    if (this.#prompt.value !== state.prompt) this.#prompt.value = state.prompt;
    byId("main", HTMLElement).dataset["view"] = state.view;
    for (const view of this.#views) {
      const isSelected = view.dataset["view"] === state.view;
      view.setAttribute("aria-selected", String(isSelected));
      view.tabIndex = isSelected ? 0 : -1;
    }
    for (const select of this.#options.querySelectorAll("select")) {
      select.value = select.name === "bos"
        ? bosOf(state)
        : String(state[select.name as keyof PageState]);
    }
    for (const button of this.#directions) {
      button.setAttribute("aria-pressed", String(button.value === state.direction));
    }
  }

  #onTabKey(event: KeyboardEvent): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const shown = this.#views.filter(({ hidden }) => !hidden);
    const at = shown.indexOf(event.currentTarget as HTMLButtonElement);
    const view = shown[(at + step + shown.length) % shown.length]!;
    view.focus();
    view.click();
  }
}

/** Another prompt has other tokens: what was chosen of the old ones goes. */
function prompt(text: string): Partial<PageState> {
  return { prompt: text, token: DEFAULT_STATE.token };
}
