import { html } from "../../draw/elements.ts";

/** What the controls of the list say, as its link holds it. */
export const LIST_STATE = {
  search: "",
  in: "ANY",
  order: "MAX",
  least: "0",
  most: "1",
} as const;

/** The same, as it is. */
export type ListState = Record<keyof typeof LIST_STATE, string>;

const PLACES = {
  ANY: "in labels and promoted tokens",
  LABEL: "in labels",
  PROMOTED: "in tokens that it promotes",
  TOKEN: "in tokens that it is on at",
};
const ORDERS = {
  DENSITY: "most often on",
  RARITY: "least often on",
  MAX: "largest activation",
  MEAN: "largest mean activation",
  INDEX: "number",
};
const SHARES = ["0", "0.00001", "0.0001", "0.001", "0.01", "0.1", "1"];
const WAIT = 200;

/** The controls of the list. */
export class Controls {
  readonly element: HTMLElement;
  readonly #search = html("input", { type: "search", id: "search", autocomplete: "off" });
  readonly #in = select(Object.entries(PLACES), "Where to search");
  readonly #order = select(Object.entries(ORDERS), "Order");
  readonly #least = select(SHARES.slice(0, -1).map((it) => [it, leastOf(it)]), "At least");
  readonly #most = select(SHARES.slice(1).map((it) => [it, mostOf(it)]), "At most");

  /** @param change Told what was changed. */
  constructor(state: ListState, change: (state: ListState) => void) {
    const tell = (): void => change(this.#state);
    let typing: number | undefined;
    this.#search.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(tell, WAIT);
    });
    for (const one of [this.#in, this.#order, this.#least, this.#most]) {
      one.addEventListener("change", tell);
    }
    this.element = html(
      "form",
      { class: "controls", role: "search" },
      html("label", { for: "search" }, "Find"),
      this.#search,
      this.#in,
      labelled("Sort by", this.#order),
      labelled("On at", this.#least),
      labelled("and", this.#most),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      tell();
    });
    this.show(state);
  }

  /** Sets the controls from a link; values that can't be read change nothing. */
  show(state: ListState): void {
    this.#search.value = state.search;
    for (
      const [one, value] of [
        [this.#in, state.in],
        [this.#order, state.order],
        [this.#least, state.least],
        [this.#most, state.most],
      ] as const
    ) {
      if ([...one.options].some((option) => option.value === value)) one.value = value;
    }
  }

  get #state(): ListState {
    return {
      search: this.#search.value,
      in: this.#in.value,
      order: this.#order.value,
      least: this.#least.value,
      most: this.#most.value,
    };
  }
}

function select(
  options: readonly (readonly [string, string])[],
  name: string,
): HTMLSelectElement {
  return html(
    "select",
    { "aria-label": name },
    ...options.map(([value, text]) => html("option", { value }, text)),
  );
}

function labelled(text: string, control: HTMLElement): HTMLElement {
  return html(
    "span",
    { class: "labelled" },
    html("span", { "aria-hidden": "true" }, text),
    control,
  );
}

function leastOf(share: string): string {
  return share === "0" ? "any number of tokens" : `${percent(share)} of tokens or more`;
}

function mostOf(share: string): string {
  return share === "1" ? "up to all" : `up to ${percent(share)}`;
}

function percent(share: string): string {
  return `${Number((100 * Number(share)).toPrecision(3))}%`;
}
