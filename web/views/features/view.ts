import { html } from "../../draw/elements.ts";
import { drawGrid, type GridPicture } from "../../draw/grid_svg.ts";
import { labelText } from "../../draw/token_label.ts";
import type { Exhibit } from "../../exhibits/exhibit.ts";
import { Failure } from "../../server/failure.ts";
import { drawForecast } from "../../widgets/forecast_table.ts";
import { GridBoard } from "../../widgets/grid_board.ts";
import { Segments } from "../../widgets/segments.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import type { AMOUNTS } from "./card.ts";
import { changedFeatures, drawChanges } from "./feature_changes.ts";
import { drawFit, fitOf } from "./fit.ts";
import { drawCard, drawFound, drawSources } from "./details.ts";
import { chosenRows, flowPicture, pictureOf } from "./pictures.ts";
import {
  type AboutFeature,
  type ActiveFeature,
  cardOf,
  featuresCall,
  featuresOf,
  flowTo,
  forecastWith,
  found,
  type SaeCard,
  saesOf,
} from "./question.ts";

/** Which features a prompt turns on, which tokens fed the chosen one, and what comes of it. */
export class FeaturesView implements View {
  readonly slots: Slots;
  readonly #grid: GridBoard;
  readonly #flow: GridBoard;
  readonly #flowTitle = html("h3", {});
  readonly #saes = html("select", { "aria-label": "Autoencoder" });
  readonly #amount: Segments<typeof AMOUNTS[number]>;
  readonly #forecast = html("div", { id: "forecast" });
  readonly #sources = html("div", { id: "details" });
  readonly #card = html("div", { class: "feature-card" });
  readonly #search = html("input", {
    type: "search",
    placeholder: "Find features by a token that they promote, or by name",
    "aria-label": "Find features",
  });
  readonly #found = html("div", {});
  readonly #conversion = html("p", { class: "note", id: "sae-conversion" });
  readonly #warning = html("p", { class: "note", id: "sae-warning", role: "status" });
  readonly #fit = html("div", { id: "sae-fit" });
  readonly #changes = html("div", { id: "feature-changes" });
  readonly #choose: (feature: number) => void;
  readonly #chooseOf: (sae: string, feature: number) => void;
  #measured = "";
  #shown: { readonly features: readonly number[]; readonly columns: number } | undefined;

  constructor(tools: Tools) {
    this.#grid = new GridBoard(tools, (place) => {
      if (!this.#shown) return;
      const { features, columns } = this.#shown;
      const feature = features[Math.floor(place / columns)]!;
      tools.change({ feature, token: place % columns, amount: "1" });
    });
    this.#flow = new GridBoard(tools, () => {});
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
        this.#warning,
        this.#grid.element,
        this.#flowTitle,
        this.#flow.element,
      ],
      side: [
        this.#sources,
        this.#amount.element,
        this.#forecast,
        this.#changes,
        this.#card,
        this.#search,
        this.#found,
        this.#fit,
      ],
    };
  }

  says(): string {
    return "Directions that a sparse autoencoder found in the model’s activations, each on at few tokens. What fed one " +
      "is exact, layer by layer or head by head; what an autoencoder leaves out, and what a direction means, is not seen here.";
  }

  async show(asked: Asked): Promise<void> {
    const { state, reading: { tokens: all }, theme, ask, keep, present } = asked;
    const { prompt, model } = state;
    const chosen = await this.#chosenOf(asked);
    const { saes, sae, active, first, tokens, token, features, feature } = chosen;
    const about: AboutFeature = { prompt, model, sae, feature };
    keep(fitOf(prompt, model, sae.name));
    const activation = active.find((it) => it.feature === feature && it.position === token)
      ?.activation ?? 0;
    const answers = [
      ask(flowTo({ prompt }, { model, sae: sae.name, feature, target: token + first })),
      ask(cardOf(about, activation)),
      ask(forecastWith(about, Number(state.amount) === 1 ? 1 : Number(state.amount))),
      state.find ? ask(found(model, sae, state.find)) : undefined,
    ] as const;
    const [flow, card, forecast, list] = await Promise.all(answers);
    const picture = pictureOf(active, { features, tokens, chosen: { feature, token } });
    present(exhibitOf(asked, { sae, active, picture, first }), () => {
      this.#shown = { features, columns: tokens.length };
      this.#drawSaes(saes, sae);
      this.#conversion.textContent = `It sees ${sae.conversion}.`;
      this.#clearFor(asked, sae);
      this.#grid.show(picture, theme);
      const labels = all.map(({ text }) => text);
      const target = token + first;
      this.#flowTitle.textContent = flow
        ? `What fed feature ${feature} at ${labelText(tokens[token]!)}, by ${flow.axis}`
        : "";
      this.#flow.element.hidden = !flow || flow.rows === 0;
      if (flow && flow.rows > 0) this.#flow.show(flowPicture(flow, labels, target), theme);
      drawSources(this.#sources, flow, { tokens: labels, target, feature });
      this.#amount.show(state.amount);
      const isChanged = state.amount !== "1";
      drawForecast(
        this.#forecast,
        isChanged ? forecast : { whole: forecast.whole, without: undefined },
        ["As it is", changeIn(chosen, state.amount)],
      );
      drawCard(this.#card, card, { activation, choose: this.#choose });
      this.#search.value = state.find;
      drawFound(this.#found, list, this.#choose);
    });
  }

  /** How well the autoencoder does on the prompt, and which features change with the chosen one. */
  async afterwards(asked: Asked): Promise<void> {
    const { state: { prompt, model, amount }, reading: { tokens: all }, ask, isNewest } = asked;
    const chosen = await this.#chosenOf(asked);
    const { saes, sae, first, tokens, token, feature } = chosen;
    const about: AboutFeature = { prompt, model, sae, feature };
    if (amount !== "1") {
      const of = { position: token + first, tokens: all.length, saes };
      const changes = await ask(changedFeatures(about, Number(amount), of));
      if (!isNewest()) return;
      const said = {
        token: tokens[token]!,
        sae: sae.name,
        after: changeIn(chosen, amount),
        choose: this.#chooseOf,
      };
      drawChanges(this.#changes, changes, said);
    }
    const fit = await ask(fitOf(prompt, model, sae.name));
    if (!isNewest()) return;
    drawFit(this.#fit, sae.name, fit);
    this.#warning.textContent = fit?.fit.warning ?? "";
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
    const active = (await ask(featuresOf(prompt, model, sae.name)))
      .filter(({ position }) => position >= first)
      .map((it) => ({ ...it, position: it.position - first }));
    const token = Math.min(state.token ?? tokens.length - 1, tokens.length - 1);
    const features = chosenRows(active, token, state.feature);
    const feature = state.feature ?? features[0] ?? 0;
    return { saes, sae, active, first, tokens, token, features, feature };
  }

  /** Takes away what was measured of another prompt, autoencoder or change. */
  #clearFor({ state: { prompt, model } }: Asked, { name }: SaeCard): void {
    this.#changes.replaceChildren();
    const measured = JSON.stringify([prompt, model, name]);
    if (measured === this.#measured) return;
    this.#measured = measured;
    this.#fit.replaceChildren();
    this.#warning.textContent = "";
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
  /** Positions count from the first token that is shown. */
  readonly active: readonly ActiveFeature[];
  /** The position of that, from BOS on. */
  readonly first: number;
  readonly tokens: readonly string[];
  readonly token: number;
  /** Of the rows. */
  readonly features: readonly number[];
  readonly feature: number;
}

function changeIn({ feature }: Chosen, amount: typeof AMOUNTS[number]): string {
  return `Feature ${feature} ${amount === "0" ? "off" : `×${amount}`}`;
}

function exhibitOf(
  known: Asked,
  { sae, active, picture, first }: {
    readonly sae: SaeCard;
    readonly active: readonly ActiveFeature[];
    readonly picture: GridPicture;
    readonly first: number;
  },
): Exhibit {
  const { state: { prompt, model }, spans } = known;
  return {
    known,
    heading: { name: "Features", note: `${sae.name}, ${sae.hook}` },
    call: featuresCall(prompt, model, sae.name),
    python: ".to_pandas()",
    drawing: (theme, width) => drawGrid(picture, theme, width),
    table: () => ({
      columns: ["position", "token", "feature", "activation"],
      rows: () =>
        active.map(({ position, feature, activation }) => [
          position + first,
          spans[position]!.text,
          feature,
          activation,
        ]),
    }),
  };
}
