import { html } from "../../draw/elements.ts";
import { drawGrid, type GridCell, type GridPicture } from "../../draw/grid_svg.ts";
import { labelText } from "../../draw/token_label.ts";
import type { Exhibit } from "../../exhibits/exhibit.ts";
import { Failure } from "../../server/failure.ts";
import { drawForecast } from "../../widgets/forecast_table.ts";
import { GridBoard } from "../../widgets/grid_board.ts";
import { Segments } from "../../widgets/segments.ts";
import type { Asked, Slots, Tools, View } from "../view.ts";
import type { AMOUNTS } from "./card.ts";
import { drawCard, drawFound, drawSources, signed } from "./details.ts";
import {
  type AboutFeature,
  type ActiveFeature,
  cardOf,
  type FeatureFlow,
  featuresCall,
  featuresOf,
  flowTo,
  forecastWith,
  found,
  type SaeCard,
  saesOf,
} from "./question.ts";

/** Features that are shown at once. */
const MOST_ROWS = 14;

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
  readonly #choose: (feature: number) => void;
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
      stage: [this.#saes, this.#grid.element, this.#flowTitle, this.#flow.element],
      side: [
        this.#sources,
        this.#amount.element,
        this.#forecast,
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
    const { state, reading: { tokens: all }, theme, ask, present } = asked;
    const { prompt, model } = state;
    const saes = await ask(saesOf(model));
    const sae = saes.find(({ name }) => name === state.sae) ?? saes[0];
    if (!sae) {
      throw new Failure(
        "refused",
        "This model is served without sparse autoencoders: start the server with --sae",
      );
    }
    const first = asked.spans.length < all.length ? 1 : 0;
    const tokens = asked.spans.map(({ text }) => text);
    const active = (await ask(featuresOf(prompt, model, sae.name)))
      .filter(({ position }) => position >= first)
      .map((it) => ({ ...it, position: it.position - first }));
    const token = Math.min(state.token ?? tokens.length - 1, tokens.length - 1);
    const features = chosenRows(active, token, state.feature);
    const feature = state.feature ?? features[0] ?? 0;
    const about: AboutFeature = { prompt, model, sae, feature };
    const activation = active.find((it) => it.feature === feature && it.position === token)
      ?.activation ?? 0;
    const answers = [
      ask(flowTo(about, token + first)),
      ask(cardOf(about, activation)),
      ask(forecastWith(about, Number(state.amount) === 1 ? 1 : Number(state.amount))),
      state.find ? ask(found(model, sae, state.find)) : undefined,
    ] as const;
    const [flow, card, forecast, list] = await Promise.all(answers);
    const picture = pictureOf(active, { features, tokens, chosen: { feature, token } });
    present(exhibitOf(asked, { sae, active, picture, first }), () => {
      this.#shown = { features, columns: tokens.length };
      this.#drawSaes(saes, sae);
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
        ["As it is", `Feature ${feature} ${state.amount === "0" ? "off" : `×${state.amount}`}`],
      );
      drawCard(this.#card, card, { activation, choose: this.#choose });
      this.#search.value = state.find;
      drawFound(this.#found, list, this.#choose);
    });
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

/** The features of the rows: those of the chosen token, the strongest first, then the strongest elsewhere. */
function chosenRows(
  active: readonly ActiveFeature[],
  token: number,
  chosen: number | undefined,
): number[] {
  const here = active.filter(({ position }) => position === token);
  const elsewhere = active.toSorted((a, b) => b.activation - a.activation);
  const ordered = [...here, ...elsewhere].map(({ feature }) => feature);
  return [...new Set(chosen === undefined ? ordered : [chosen, ...ordered])].slice(0, MOST_ROWS);
}

function pictureOf(
  active: readonly ActiveFeature[],
  { features, tokens, chosen }: {
    readonly features: readonly number[];
    readonly tokens: readonly string[];
    readonly chosen: { readonly feature: number; readonly token: number };
  },
): GridPicture {
  const top = active.reduce((most, { activation }) => Math.max(most, activation), 0) || 1;
  const known = new Map(
    active.map(({ position, feature, activation }) => [`${feature}/${position}`, activation]),
  );
  const cells = features.flatMap((feature) =>
    tokens.map((text, position): GridCell => {
      const value = known.get(`${feature}/${position}`) ?? 0;
      return {
        value,
        ...value > 0 && { text: value.toFixed(1) },
        says: `Feature ${feature} at ${labelText(text)}: ${
          value > 0 ? value.toFixed(2) : "off, or not among the strongest"
        }`,
      };
    })
  );
  const row = features.indexOf(chosen.feature);
  return {
    rows: features.map((feature) => `#${feature}`),
    columns: tokens.map((text) => ({ text })),
    cells,
    shade: { top, curve: "sqrt" },
    ends: ["off", "activation", top.toFixed(1)],
    title: "The strongest features at each token",
    chosen: row < 0 ? undefined : row * tokens.length + chosen.token,
  };
}

function flowPicture(
  { values, rows, axis }: FeatureFlow,
  tokens: readonly string[],
  target: number,
): GridPicture {
  const shown = tokens.slice(0, target + 1);
  const cells = Array.from({ length: rows * shown.length }, (_, place): GridCell => {
    const [row, source] = [Math.floor(place / shown.length), place % shown.length];
    const value = values[row * tokens.length + source]!;
    return {
      value,
      text: Math.abs(value) >= 0.05 ? signed(value) : "",
      says: `${axis} ${row}: ${labelText(shown[source]!)} adds ${signed(value)}`,
    };
  });
  const top = cells.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;
  return {
    rows: Array.from({ length: rows }, (_, row) => `${axis} ${row}`),
    columns: shown.map((text) => ({ text })),
    cells,
    shade: { top, curve: "linear", diverges: true },
    ends: [signed(-top), "0", signed(top)],
    title: `What each token adds to the feature, by ${axis}`,
  };
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
