import { html } from "../draw/elements.ts";
import { VIEW_NAMES, type ViewName } from "../page_state.ts";
import { VIEWS } from "../views/list.ts";

/** The tabs, one a view. */
export class Tabs {
  readonly #element: HTMLElement;
  readonly #tabs: ReadonlyMap<ViewName, HTMLButtonElement>;

  constructor(element: HTMLElement, choose: (view: ViewName) => void) {
    this.#element = element;
    this.#tabs = new Map(VIEW_NAMES.map((view) => [
      view,
      html("button", { type: "button", role: "tab", "aria-controls": "picture" }, VIEWS[view].tab),
    ]));
    for (const [view, tab] of this.#tabs) {
      tab.addEventListener("click", () => choose(view));
      tab.addEventListener("keydown", (event) => this.#onKey(event, view));
    }
    element.replaceChildren(...this.#tabs.values());
  }

  /** Marks the view that is asked for. */
  show(asked: ViewName): void {
    for (const [view, tab] of this.#tabs) {
      tab.setAttribute("aria-selected", String(view === asked));
      tab.tabIndex = view === asked ? 0 : -1;
    }
    // Where there is no room for all of them, the one that is chosen is in sight.
    const chosen = this.#tabs.get(asked)!;
    const { clientWidth, scrollWidth } = this.#element;
    if (scrollWidth > clientWidth) {
      this.#element.scrollLeft = chosen.offsetLeft - (clientWidth - chosen.offsetWidth) / 2;
    }
  }

  #onKey(event: KeyboardEvent, view: ViewName): void {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const count = VIEW_NAMES.length;
    const next = this.#tabs.get(VIEW_NAMES[(VIEW_NAMES.indexOf(view) + step + count) % count]!)!;
    next.focus();
    next.click();
  }
}
