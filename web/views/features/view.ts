import { drawBars } from "../../draw/bars_svg.ts";
import { html } from "../../draw/elements.ts";
import { labelText } from "../../draw/token_label.ts";
import { Failure } from "../../server/failure.ts";
import { addressOf } from "../../features/address.ts";
import { drawForecast } from "../../widgets/forecast_table.ts";
import { CellBoard, GridBoard } from "../../widgets/grid_board.ts";
import { Segments } from "../../widgets/segments.ts";
import type { BarsPicture } from "../../draw/bars_svg.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import { ActivationText } from "./activation_text.ts";
import type { AMOUNTS } from "./card.ts";
import { drawCard, drawFound, drawSources } from "./details.ts";
import { featuresExhibit } from "./exhibit.ts";
import { changedFeatures, drawChanges } from "./feature_changes.ts";
import { FitPanel } from "./fit.ts";
import { FlowChange } from "./flow_change.ts";
import { firstRowOf, flowPicture } from "./flow_picture.ts";
import {
  drawHere,
  type FeatureHere,
  featuresHere,
  type LossEffects,
  lossEffectsOf,
} from "./here.ts";
import {
  type AboutFeature,
  activationsOf,
  cardOf,
  featuresOf,
  flowTo,
  forecastWith,
  found,
  type SaeCard,
  saesOf,
} from "./question.ts";
import { type BarPlace, barsOf, type Section, shownWith } from "./strongest.ts";

/** Which features a prompt turns on, which tokens fed the chosen one, and what comes of it. */
export class FeaturesView implements View {
  readonly slots: Slots;
  readonly #bars: CellBoard<BarsPicture>;
  readonly #text: ActivationText;
  readonly #textTitle = html("h3", {});
  readonly #flow: GridBoard;
  readonly #flowTitle = html("h3", {});
  readonly #saes = html("select", { "aria-label": "Autoencoder" });
  readonly #amount: Segments<typeof AMOUNTS[number]>;
  readonly #forecast = html("div", { id: "forecast" });
  readonly #here = html("div", { id: "features-here" });
  readonly #sources = html("div", { id: "details" });
  readonly #card = html("div", { class: "feature-card" });
  readonly #search = html("input", {
    type: "search",
    placeholder: "Find features by a token that they promote, or by name",
    "aria-label": "Find features",
  });
  readonly #found = html("div", {});
  readonly #conversion = html("p", { class: "note", id: "sae-conversion" });
  readonly #fit = new FitPanel();
  readonly #changes = html("div", { id: "feature-changes" });
  readonly #flowChange: FlowChange;
  readonly #choose: (feature: number) => void;
  readonly #chooseOf: (sae: string, feature: number) => void;
  #places: ReadonlyMap<number, BarPlace> = new Map();

  constructor(tools: Tools) {
    this.#bars = new CellBoard(tools, (place) => {
      const bar = this.#places.get(place);
      if (!bar) return;
      const { sae, feature, token } = bar;
      tools.change({ sae: sae.name, feature, token, amount: "1" });
    }, drawBars);
    this.#text = new ActivationText((token) => tools.change({ token }));
    this.#flow = new GridBoard(tools, () => {});
    this.#flowChange = new FlowChange(tools);
    this.#choose = (feature) => tools.change({ feature, amount: "1" });
    this.#chooseOf = (sae, feature) => tools.change({ sae, feature, amount: "1" });
    this.#search.addEventListener("change", () => tools.change({ find: this.#search.value }));
    this.#saes.addEventListener(
      "change",
      () => tools.change({ sae: this.#saes.value, feature: undefined, amount: "1" }),
    );
    this.#amount = new Segments<typeof AMOUNTS[number]>(
      "The feature in the model",
      { "0": "Off", "1": "As it is", "2": "Twice", "5": "Five times" },
      (amount) => tools.change({ amount }, "replace"),
    );
    this.slots = {
      stage: [
        this.#saes,
        this.#conversion,
        this.#fit.warning,
        this.#bars.element,
        this.#textTitle,
        this.#text.element,
        html("p", { class: "note" }, "Choose a token to see what is on there, and what fed it."),
        this.#flowTitle,
        this.#flow.element,
        this.#flowChange.element,
        this.#fit.element,
      ],
      side: [
        this.#amount.element,
        this.#forecast,
        this.#changes,
        this.#flowChange.details,
        this.#here,
        this.#sources,
        this.#card,
        this.#search,
        this.#found,
      ],
    };
  }

  says(): string {
    return "Directions that a sparse autoencoder found in the model’s activations, each on at few tokens. What fed one " +
      "is exact, layer by layer or head by head; what an autoencoder leaves out, and what a direction means, is not seen here.";
  }

  async show(asked: Asked): Promise<void> {
    const { state, reading, spans, theme, ask, present } = asked;
    const { prompt, model } = state;
    const chosen = await this.#chosenOf(asked);
    const { saes, sae, sections, first, tokens, token, feature } = chosen;
    const about: AboutFeature = { prompt, model, sae, feature };
    const activations = ask(activationsOf(about));
    const answers = [
      ask(flowTo({ prompt }, { model, sae: sae.name, feature, target: token + first })),
      ask(forecastWith(about, Number(state.amount))),
      state.find ? ask(found(model, sae, state.find)) : undefined,
      ask(featuresHere(placeOf(asked, chosen))),
    ] as const;
    const byToken = new Map(
      (await activations).map(({ position, activation }) => [position - first, activation]),
    );
    const activation = byToken.get(token) ?? 0;
    const card = await ask(cardOf(about, activation));
    const [flow, forecast, list, here] = await Promise.all(answers);
    const { picture, places } = barsOf(sections, { tokens, chosen: { sae, feature, token } });
    present(featuresExhibit(asked, { sae, sections, picture, first }), () => {
      this.#places = places;
      this.#drawSaes(saes, sae);
      this.#conversion.textContent = [
        ...state.sae && state.sae !== sae.name
          ? [`There is no autoencoder ${state.sae} here: this is ${sae.name}.`]
          : [],
        `It sees ${sae.conversion}.`,
      ].join(" ");
      this.#clearFor(asked, sae);
      this.#bars.show(picture, theme);
      const at = labelText(tokens[token]!);
      const value = activation > 0 ? activation.toFixed(1) : "off";
      this.#textTitle.textContent = `Feature ${feature} of ${sae.name}: ${value} at ${at}`;
      const top = Math.max(card?.max ?? 0, ...byToken.values());
      this.#text.show({ prompt, spans, activations: byToken, top, token, theme });
      const labels = reading.tokens.map(({ text }) => text);
      const target = token + first;
      this.#flowTitle.textContent = flow
        ? `What fed feature ${feature} at ${at}, by ${flow.axis}`
        : "";
      this.#flow.element.hidden = !flow || flow.rows === 0;
      const from = flow ? firstRowOf(flow, sae) : 0;
      if (flow && flow.rows > 0) {
        this.#flow.show(flowPicture(flow, { tokens: labels, target, first: from }), theme);
      }
      drawSources(this.#sources, flow, { tokens: labels, target, feature, first: from });
      this.#amount.show(state.amount);
      drawForecast(
        this.#forecast,
        state.amount === "1" ? { whole: forecast.whole, without: undefined } : forecast,
        ["As it is", `Feature ${changeIn(chosen, state.amount)}`],
      );
      this.#drawHere(chosen, here, undefined);
      const href = addressOf({ model, sae: sae.name, index: feature });
      drawCard(this.#card, card, { activation, href, choose: this.#choose });
      this.#search.value = state.find;
      drawFound(this.#found, list, this.#choose);
    });
  }

  /** Which features and flows change with the chosen one, and how well the autoencoder does. */
  async afterwards(asked: Asked): Promise<void> {
    const chosen = await this.#chosenOf(asked);
    if (asked.state.amount !== "1") {
      await Promise.all([this.#showChanges(asked, chosen), this.#showFlowChange(asked, chosen)]);
    }
    if (asked.isNewest()) await this.#showLossEffects(asked, chosen);
    if (asked.isNewest()) await this.#fit.show(asked, chosen.sae);
  }

  async #showLossEffects(asked: Asked, chosen: Chosen): Promise<void> {
    const { ask, isNewest } = asked;
    const place = placeOf(asked, chosen);
    const here = await ask(featuresHere(place));
    if (here.length === 0) return;
    const features = here.map(({ feature }) => feature);
    const effects = await ask(lossEffectsOf({ ...place, sae: place.sae.name, features }));
    if (isNewest()) this.#drawHere(chosen, here, effects);
  }

  #drawHere(
    { tokens, token, feature }: Chosen,
    here: readonly FeatureHere[],
    effects: LossEffects | undefined,
  ): void {
    const shown = { token: tokens[token]!, chosen: feature, effects, choose: this.#choose };
    drawHere(this.#here, here, shown);
  }

  async #showChanges(asked: Asked, chosen: Chosen): Promise<void> {
    const { state: { prompt, model, amount }, reading, ask, isNewest } = asked;
    const { saes, sae, first, tokens, token, feature } = chosen;
    const of = { position: token + first, tokens: reading.tokens.length, saes };
    const changes = await ask(
      changedFeatures({ prompt, model, sae, feature }, Number(amount), of),
    );
    if (!isNewest()) return;
    drawChanges(this.#changes, changes, {
      token: tokens[token]!,
      sae: sae.name,
      after: `Feature ${changeIn(chosen, amount)}`,
      choose: this.#chooseOf,
    });
  }

  async #showFlowChange(asked: Asked, chosen: Chosen): Promise<void> {
    const { prompt, model, amount } = asked.state;
    const { sae, feature } = chosen;
    const what = `feature ${changeIn(chosen, amount)}`;
    await this.#flowChange.show(asked, { prompt, model, sae, feature }, what);
  }

  /** What the state chooses, of what is kept or asked for now. */
  async #chosenOf({ state, spans, reading, ask }: Asked): Promise<Chosen> {
    const { prompt, model } = state;
    const saes = await ask(saesOf(model));
    const sae = saes.find(({ name }) => name === state.sae) ?? saes[0];
    if (!sae) {
      throw new Failure(
        "refused",
        "This model is served without sparse autoencoders: start the server with --sae",
      );
    }
    const first = spans.length < reading.tokens.length ? 1 : 0;
    const tokens = spans.map(({ text }) => text);
    const sections = await Promise.all(
      shownWith(saes, sae).map(async (one): Promise<Section> => {
        const active = (await ask(featuresOf(prompt, model, one.name)))
          .filter(({ position }) => position >= first)
          .map((it) => ({ ...it, position: it.position - first }));
        return { sae: one, active };
      }),
    );
    const token = Math.min(state.token ?? tokens.length - 1, tokens.length - 1);
    const { active } = sections.find((section) => section.sae === sae)!;
    const strongest = active.find(({ position }) => position === token) ?? active[0];
    const feature = state.feature ?? strongest?.feature ?? 0;
    return { saes, sae, sections, first, tokens, token, feature };
  }

  /** Takes away what was measured of another autoencoder, and what changed with another feature. */
  #clearFor(asked: Asked, sae: SaeCard): void {
    this.#changes.replaceChildren();
    this.#flowChange.clear();
    this.#fit.clearFor(asked, sae);
  }

  #drawSaes(saes: readonly SaeCard[], chosen: SaeCard): void {
    this.#saes.replaceChildren(...saes.map(({ name, hook, features }) =>
      html("option", {
        value: name,
        ...name === chosen.name && { selected: "" },
      }, `${name}: ${features} features of ${hook}`)
    ));
  }
}

/** What a state shows. */
interface Chosen {
  readonly saes: readonly SaeCard[];
  readonly sae: SaeCard;
  /** Of the autoencoders that are shown, that one among them. */
  readonly sections: readonly Section[];
  /** The position of the first token that is shown, from BOS on. */
  readonly first: number;
  readonly tokens: readonly string[];
  readonly token: number;
  readonly feature: number;
}

/** The chosen token of the prompt, for questions. */
function placeOf(
  { state: { prompt, model }, reading }: Asked,
  { sae, token, first }: Chosen,
): Parameters<typeof featuresHere>[0] {
  return { prompt, model, sae, position: token + first, tokens: reading.tokens.length };
}

function changeIn({ feature }: Chosen, amount: typeof AMOUNTS[number]): string {
  return `${feature} ${amount === "0" ? "off" : `×${amount}`}`;
}
