import { html } from "../draw/elements.ts";
import { FLOW_METHODS, type Method } from "../../src/requests/flow_methods.ts";
import type { Option } from "../options.ts";
import { bosOf, coloursOf, DEFAULT_STATE, type PageState } from "../page_state.ts";
import { VIEWS } from "../views/list.ts";

/** Where options stand. */
export interface OptionParts {
  readonly form: HTMLFormElement;
  /** The options that differ from their defaults. */
  readonly chips: HTMLElement;
  readonly menu: HTMLDetailsElement;
}

interface Field {
  readonly option: Option;
  readonly element: HTMLElement;
  readonly select: HTMLSelectElement;
  /** What it is, in a sentence; of the methods, what the chosen one is. */
  readonly says: HTMLElement;
  readonly paper: HTMLAnchorElement;
}

/** The options of the view that is asked for, folded away; those that differ from their defaults are shown as chips. */
export class Options {
  readonly #parts: OptionParts;
  readonly #fields: ReadonlyMap<string, Field>;
  readonly #change: (part: Partial<PageState>) => void;

  constructor(parts: OptionParts, change: (part: Partial<PageState>) => void) {
    this.#parts = parts;
    this.#change = change;
    const all = new Map<string, Option>();
    for (const { options } of Object.values(VIEWS)) {
      for (const option of options) all.set(option.name, option);
    }
    this.#fields = new Map([...all.values()].map((option) => [option.name, fieldOf(option)]));
    parts.form.addEventListener("change", ({ target }) => {
      if (target instanceof HTMLSelectElement) change(changeBy(target.name, target.value));
    });
    parts.form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Offers what the view of a state takes, as it is set. */
  show(state: PageState): void {
    const { form, chips, menu } = this.#parts;
    const fields = VIEWS[state.view].options.map(({ name }) => this.#fields.get(name)!);
    const elements = fields.map(({ element }) => element);
    const isSame = elements.length === form.children.length &&
      elements.every((element, index) => form.children[index] === element);
    if (!isSame) form.replaceChildren(...elements);
    menu.hidden = fields.length === 0;
    for (const { option, select, says, paper } of fields) {
      select.value = valueOf(option, state);
      const rollout = select.querySelector<HTMLOptionElement>("option[value=ROLLOUT]");
      if (rollout) rollout.disabled = !FLOW_METHODS[state.method].hasProduct;
      const card = option.name === "method" ? FLOW_METHODS[state.method] : undefined;
      const source = card?.paper ?? option.paper;
      says.textContent = card?.says ?? option.help;
      if (source) {
        paper.textContent = source.name;
        paper.href = source.url;
        says.parentElement!.append(paper);
      } else paper.remove();
    }
    chips.replaceChildren(
      ...fields.filter(({ option }) => isSet(option, state)).map(({ option }) =>
        this.#chip(option, valueOf(option, state))
      ),
    );
  }

  #chip({ name, label, choices }: Option, value: string): HTMLElement {
    const text = `${label}: ${choices.find(([one]) => one === value)?.[1] ?? value}`;
    const chip = html("button", { type: "button", title: "Set back" }, text);
    chip.addEventListener("click", () => this.#change(changeBy(name, initialOf(name))));
    return chip;
  }
}

function initialOf(name: string): string {
  return String(DEFAULT_STATE[name as keyof PageState]);
}

/** The value in effect: for AUTO, the value that it stands for. */
function valueOf({ name }: Option, state: PageState): string {
  if (name === "bos") return bosOf(state);
  const { unit, curve } = coloursOf(state);
  return { unit, curve }[name as string] ?? String(state[name as keyof PageState]);
}

function isSet(option: Option, state: PageState): boolean {
  const byItself = { ...state, [option.name]: initialOf(option.name) } as PageState;
  return valueOf(option, state) !== valueOf(option, byItself);
}

function fieldOf(option: Option): Field {
  const { name, label, choices } = option;
  const id = `option-${name}`;
  const select = html(
    "select",
    { id, name },
    ...choices.map(([value, text]) => html("option", { value }, text)),
  );
  const says = html("span");
  const paper = html("a", { target: "_blank", rel: "noopener noreferrer" });
  const explained = html(
    "p",
    { class: "explained", id: `${id}-help`, hidden: "" },
    says,
    " ",
    paper,
  );
  const help = html("button", {
    type: "button",
    class: "help",
    "aria-expanded": "false",
    "aria-controls": explained.id,
    "aria-label": `What is ${label}?`,
  }, "?");
  help.addEventListener("click", () => {
    explained.hidden = !explained.hidden;
    help.setAttribute("aria-expanded", String(!explained.hidden));
  });
  const element = html(
    "div",
    { class: "option" },
    html("label", { for: id }, label),
    select,
    help,
    explained,
  );
  return { option, element, select, says, paper };
}

/** A method whose paper multiplies no layers has no rollout: the layers' mean is taken instead. */
function changeBy(name: string, value: string): Partial<PageState> {
  const isMean = name === "method" && !FLOW_METHODS[value as Method].hasProduct;
  return { [name]: value, ...(isMean ? { aggregation: "MEAN" } : {}) } as Partial<PageState>;
}
