import { html } from "../draw/elements.ts";
import { METHOD_CARDS } from "../methods.ts";
import { bosOf, type Method, type PageState } from "../page_state.ts";
import type { Option } from "../options.ts";
import { VIEWS } from "../views/list.ts";

/** The options of the view that is asked for. */
export class Options {
  readonly #element: HTMLFormElement;
  readonly #fields: ReadonlyMap<string, { span: HTMLElement; select: HTMLSelectElement }>;

  constructor(element: HTMLFormElement, change: (part: Partial<PageState>) => void) {
    this.#element = element;
    const all = new Map<string, Option>();
    for (const { options } of Object.values(VIEWS)) {
      for (const option of options) all.set(option.name, option);
    }
    this.#fields = new Map([...all.values()].map((option) => [option.name, fieldOf(option)]));
    element.addEventListener("change", ({ target }) => {
      if (target instanceof HTMLSelectElement) change(changeBy(target.name, target.value));
    });
    element.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Offers what the view of a state takes, as it is set. */
  show(state: PageState): void {
    const fields = VIEWS[state.view].options.map(({ name }) => this.#fields.get(name)!);
    const spans = fields.map(({ span }) => span);
    if (spans.some((span, index) => this.#element.children[index] !== span)) {
      this.#element.replaceChildren(...spans);
    }
    while (this.#element.children.length > spans.length) this.#element.lastChild!.remove();
    for (const { select } of fields) {
      const value = String(state[select.name as keyof PageState]);
      select.value = select.name === "bos" ? bosOf(state) : value;
      const rollout = select.querySelector<HTMLOptionElement>("option[value=ROLLOUT]");
      if (rollout) rollout.disabled = !METHOD_CARDS[state.method].multiplies;
    }
  }
}

function fieldOf(
  { name, label, choices }: Option,
): { span: HTMLElement; select: HTMLSelectElement } {
  const id = `option-${name}`;
  const select = html(
    "select",
    { id, name },
    ...choices.map(([value, text]) => html("option", { value }, text)),
  );
  return { span: html("span", {}, html("label", { for: id }, label), " ", select), select };
}

/** A method whose paper multiplies no layers has no rollout: the layers' mean is taken instead. */
function changeBy(name: string, value: string): Partial<PageState> {
  const isMean = name === "method" && !METHOD_CARDS[value as Method].multiplies;
  return { [name]: value, ...(isMean ? { aggregation: "MEAN" } : {}) } as Partial<PageState>;
}
