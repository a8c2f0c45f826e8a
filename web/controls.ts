import { byId, html } from "./draw/elements.ts";
import { EXAMPLES } from "./examples.ts";
import { bosOf, DEFAULT_STATE, type Method, METHODS, type PageState } from "./page_state.ts";
import type { ServerCard } from "./server/reading.ts";
import { METHOD_CARDS } from "./views/methods.ts";

/** Told of what somebody sets, and whether it is worth a step back in the browser's history. */
export type OnChange = (change: Partial<PageState>, step: "push" | "replace") => void;

const TYPING_PAUSE = 160;

/** What sets the state: the prompt, the examples, the views, the options. */
export class Controls {
  readonly #prompt = byId("prompt", HTMLTextAreaElement);
  readonly #views = [...byId("views", HTMLElement).querySelectorAll("button")];
  readonly #models = byId("model", HTMLSelectElement);
  readonly #options = byId("options", HTMLFormElement);
  /** Buttons of which one is pressed; the group's id is the part of the state that they set. */
  readonly #segments = [...document.querySelectorAll<HTMLButtonElement>(".segments button")];

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
        onChange(option(target.name, target.value), "push");
      }
    });
    this.#options.addEventListener("submit", (event) => event.preventDefault());
    this.#models.addEventListener("change", () => {
      // Another model has other layers and heads.
      const { layer, head, off } = DEFAULT_STATE;
      onChange({ model: this.#models.value, layer, head, off }, "push");
    });
    const methods = this.#options.elements.namedItem("method") as HTMLSelectElement;
    for (const method of METHODS) {
      methods.append(html("option", { value: method }, METHOD_CARDS[method].name));
    }
    for (const button of this.#segments) {
      button.addEventListener(
        "click",
        () => onChange({ [partOf(button)]: button.value } as Partial<PageState>, "replace"),
      );
    }
    byId("all-on", HTMLButtonElement).addEventListener(
      "click",
      () => onChange({ off: "" }, "push"),
    );
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
    for (const button of this.#segments) {
      button.setAttribute("aria-pressed", String(button.value === state[partOf(button)]));
    }
    this.#showMethod(state);
  }

  /** Shows what answers; where there are several models, one can be picked. */
  showServer({ models, device }: ServerCard, { model: asked }: PageState): void {
    const model = models.find(({ name }) => name === asked) ?? models[0]!;
    const select = this.#models;
    select.replaceChildren(...models.map(({ name }) => html("option", { value: name }, name)));
    select.value = model.name;
    select.hidden = models.length < 2;
    byId("model-name", HTMLElement).textContent = select.hidden ? model.name : "";
    byId("model-size", HTMLElement).textContent = `${model.layers} layers × ${model.heads} heads, ${
      device.isFallback ? "on the processor" : `on ${device.description}`
    }`;
  }

  /** Says what the method shows, and offers only what it defines. */
  #showMethod({ method, view }: PageState): void {
    const { says, multiplies } = METHOD_CARDS[method];
    byId("method-says", HTMLElement).textContent =
      { heads: "", routes: ROUTES_SAY }[view as string] ?? says;
    const rollout = this.#options.querySelector<HTMLOptionElement>("option[value=ROLLOUT]");
    if (rollout) rollout.disabled = !multiplies;
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

function partOf(button: HTMLButtonElement): keyof PageState {
  return button.parentElement!.id as keyof PageState;
}

/** Another prompt has other tokens: what was chosen of the old ones goes. */
function prompt(text: string): Partial<PageState> {
  return { prompt: text, token: DEFAULT_STATE.token };
}

const ROUTES_SAY =
  "Followed from the chosen token down, along every head, MLP and residual stream " +
  "that adds at least the threshold to what it writes into (Ferrando & Voita 2024). Many small " +
  "contributions below it are not shown, however much they are together.";

/** A method whose paper multiplies no layers has no rollout: the layers' mean is taken instead. */
function option(name: string, value: string): Partial<PageState> {
  const isMean = name === "method" && !METHOD_CARDS[value as Method].multiplies;
  return { [name]: value, ...(isMean ? { aggregation: "MEAN" } : {}) } as Partial<PageState>;
}
