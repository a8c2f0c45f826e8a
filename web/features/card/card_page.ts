import { byId, html } from "../../draw/elements.ts";
import { activationOf, count, share } from "../../draw/format.ts";
import { currentTheme, onThemeChange } from "../../draw/theme.ts";
import { Tip } from "../../widgets/tip.ts";
import { addressOf } from "../address.ts";
import type { Asker } from "../asker.ts";
import { type AboutFeature, type Card, cardOf, type SaeName } from "../questions.ts";
import { asideOf } from "./aside.ts";
import { examplesOf } from "./examples.ts";
import { drawHistogram } from "./histogram.ts";
import type { PassageTools } from "./passage.ts";
import { takeAway } from "./take_away.ts";
import { TryIt } from "./try_it.ts";

/** A feature by itself: what turns it on, how often and how much, what it does, what is near. */
export class CardPage {
  readonly #main: HTMLElement;
  readonly #asker: Asker;
  readonly #about: AboutFeature;
  readonly #body = html("div", { class: "card" });
  readonly #tip = new Tip(document.body.appendChild(html("div", { class: "tip", hidden: "" })));

  constructor(
    main: HTMLElement,
    { asker, model, sae, index }: {
      readonly asker: Asker;
      readonly model: string | undefined;
      readonly sae: SaeName;
      readonly index: number;
    },
  ) {
    this.#main = main;
    this.#asker = asker;
    this.#about = { model, sae: sae.name, index };
    document.title = `Feature ${index} of ${sae.name} · Infoflow`;
    main.querySelector(".pickers")?.append(turn(this.#about, sae.features));
    this.#main.append(this.#body);
    this.#show();
  }

  async #show(): Promise<void> {
    const card = await this.#asker.ask(cardOf(this.#about));
    if (card.label !== null) document.title = `${card.label} · ${document.title}`;
    this.#draw(card);
    onThemeChange(() => this.#draw(card));
  }

  #draw(card: Card): void {
    const tools: PassageTools = {
      asker: this.#asker,
      about: this.#about,
      max: card.max,
      tip: this.#tip,
      live: byId("live", HTMLElement),
    };
    this.#body.replaceChildren(
      html(
        "header",
        {},
        html(
          "h2",
          {},
          `Feature ${card.index}`,
          ...card.label === null ? [] : [
            html("small", {}, html("bdi", {}, card.label)),
          ],
        ),
        html("p", { class: "facts" }, factsOf(card)),
        takeAway(card, this.#about),
      ),
      html(
        "aside",
        { "aria-label": "What it does, and what is near" },
        drawHistogram(card, currentTheme()),
        ...asideOf(card, this.#about),
      ),
      html(
        "div",
        { class: "texts" },
        new TryIt(tools).element,
        html(
          "p",
          { class: "note" },
          "The stronger the colour of a token, the more the feature is on there. Choose a token, or “What fed it”, to see which tokens it came from.",
        ),
        ...examplesOf(card, tools),
      ),
    );
  }
}

function factsOf({ count: times, density, max, mean, corpus, sae }: Card): string {
  const of = `of ${count(corpus.positions)} tokens in ${count(corpus.rows)} texts`;
  if (times === 0) return `Of ${sae.name} (${sae.hook}). On at none ${of}.`;
  return `Of ${sae.name} (${sae.hook}). On at ${count(times)} ${of}, ${share(density)}. ` +
    `Largest ${activationOf(max)}, ${activationOf(mean)} in the mean where it is on.`;
}

/** Links to the features before and after. */
function turn(about: AboutFeature, features: number): HTMLElement {
  const { index } = about;
  const link = (to: number, text: string, rel: string): HTMLElement[] =>
    to < 0 || to >= features
      ? []
      : [html("a", { href: addressOf({ ...about, index: to }), rel }, text)];
  return html(
    "span",
    { class: "turn" },
    ...link(index - 1, `← #${index - 1}`, "prev"),
    " ",
    ...link(index + 1, `#${index + 1} →`, "next"),
  );
}
