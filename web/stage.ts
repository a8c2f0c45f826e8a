import { byId, html } from "./draw/elements.ts";
import { captionOf, type Exhibit } from "./exhibits/exhibit.ts";
import type { ViewName } from "./page_state.ts";
import { VIEWS } from "./views/list.ts";
import type { Heading } from "./exhibits/known.ts";
import type { View } from "./views/view.ts";

/** The place where views show what they have: title, large picture, what stands beside and below it. */
export class Stage {
  readonly #main = byId("main", HTMLElement);
  readonly #picture = byId("picture", HTMLElement);
  readonly #title = byId("title", HTMLElement);
  readonly #of = byId("of", HTMLElement);
  readonly #says = byId("says", HTMLElement);
  readonly #stage = byId("stage", HTMLElement);
  readonly #side = byId("side", HTMLElement);
  readonly #strip = byId("strip", HTMLElement);
  #mounted: View | undefined;
  #heading: Heading | undefined;

  /** Whether what is shown is of an older state than what is asked for. */
  waits(isWaiting: boolean): void {
    this.#picture.setAttribute("aria-busy", String(isWaiting));
    if (isWaiting) this.#picture.classList.add("stale");
  }

  /** Shows that a question failed; the old picture stays marked as old. */
  fails(): void {
    this.#picture.setAttribute("aria-busy", "false");
  }

  /** Titles what is shown for as long as something is pointed at. */
  preview(heading = this.#heading): void {
    if (heading) this.#title.replaceChildren(heading.name, html("small", {}, heading.note));
  }

  /** Puts a view's elements into their places, with a description of what they show. */
  present(name: ViewName, view: View, exhibit: Exhibit): void {
    if (view !== this.#mounted) {
      this.#mounted = view;
      this.#main.dataset["layout"] = VIEWS[name].layout;
      this.#main.dataset["view"] = name;
      const { stage, side, strip = [] } = view.slots;
      // A grid of small pictures comes first to the eye, so to the Tab key as well.
      if (VIEWS[name].layout === "grid") this.#picture.prepend(this.#strip);
      else this.#side.before(this.#strip);
      this.#stage.replaceChildren(...stage);
      this.#side.replaceChildren(...side);
      this.#strip.replaceChildren(...strip);
      this.#strip.hidden = strip.length === 0;
    }
    const { heading, known: { state } } = exhibit;
    this.#heading = heading;
    this.preview();
    this.#of.textContent = captionOf(exhibit);
    this.#says.textContent = view.says(state);
    document.title = `${state.prompt.slice(0, 60)} · ${VIEWS[name].tab} · Infoflow`;
    this.#picture.classList.remove("stale");
  }
}
