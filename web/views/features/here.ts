import { html } from "../../draw/elements.ts";
import { activationOf, share } from "../../draw/format.ts";
import type { Question } from "../../server/answers.ts";
import { askGraphQL } from "../../server/graphql.ts";
import { tokenOf } from "../../widgets/details.ts";
import { signed } from "./details.ts";
import type { ActiveFeature, SaeCard } from "./question.ts";

/** A feature at one token. */
export interface FeatureHere extends ActiveFeature {
  /** The share of its activations over a corpus that are smaller; null without dashboards. */
  readonly quantile: number | null;
}

/** Features of a token that are listed. */
const MOST_HERE = 10;
/** The API lists no more activations as JSON. */
const MOST_LISTED = 4096;

/** Asks for the strongest features at a position, and how unusual they are. */
export function featuresHere(
  { prompt, model, sae, position, tokens }: {
    readonly prompt: string;
    readonly model: string | undefined;
    readonly sae: SaeCard;
    /** From BOS on. */
    readonly position: number;
    /** How many the prompt has. */
    readonly tokens: number;
  },
): Question<readonly FeatureHere[]> {
  const k = Math.max(1, Math.min(MOST_HERE, sae.features, Math.floor(MOST_LISTED / tokens)));
  const variables = { prompt, model, sae: sae.name, k };
  return {
    key: `features-here ${JSON.stringify([variables, position])}`,
    fetch: async (signal) => {
      const query = `query Here($prompt: String!, $model: String, $sae: String!, $k: Int) {
        features(prompt: $prompt, model: $model, sae: $sae, k: $k) {
          activations { position feature activation label quantile }
        }
      }`;
      type Data = { features: { activations: FeatureHere[] } };
      const { features: { activations } } = await askGraphQL<Data>(query, variables, signal);
      return activations.filter((it) => it.position === position);
    },
  };
}

/** What each feature at a token does for the loss there, in nats; null where no token comes next. */
export type LossEffects = ReadonlyMap<number, number | null>;

/** Asks what the features at a position do for the next token's loss. */
export function lossEffectsOf(
  { prompt, model, sae, features, position }: {
    readonly prompt: string;
    readonly model: string | undefined;
    readonly sae: string;
    /** Only these: a row of logits is computed for each place that one of them is on at. */
    readonly features: readonly number[];
    /** From BOS on. */
    readonly position: number;
  },
): Question<LossEffects> {
  const variables = { prompt, model, sae, features };
  return {
    key: `loss-effects ${JSON.stringify([variables, position])}`,
    fetch: async (signal) => {
      const query =
        `query Effects($prompt: String!, $model: String, $sae: String!, $features: [Int!]) {
        features(prompt: $prompt, model: $model, sae: $sae, features: $features, lossEffect: true) {
          activations { position feature lossEffect }
        }
      }`;
      type Row = { position: number; feature: number; lossEffect: number | null };
      type Data = { features: { activations: Row[] } };
      const { features: { activations } } = await askGraphQL<Data>(query, variables, signal);
      const here = activations.filter((it) => it.position === position);
      return new Map(here.map(({ feature, lossEffect }) => [feature, lossEffect]));
    },
  };
}

/** Draws the features that are on at a token: activation, quantile over the corpus, and effect on the loss. */
export function drawHere(
  element: HTMLElement,
  features: readonly FeatureHere[],
  { token, chosen, effects, choose }: {
    readonly token: string;
    readonly chosen: number;
    /** Not given: not known yet. */
    readonly effects: LossEffects | undefined;
    readonly choose: (feature: number) => void;
  },
): void {
  if (features.length === 0) {
    return element.replaceChildren(html("p", { class: "note" }, "No feature is on at this token."));
  }
  const hasQuantiles = features.some(({ quantile }) => quantile !== null);
  const isLast = effects !== undefined && [...effects.values()].every((it) => it === null);
  const head = (text: string, title?: string): HTMLElement =>
    html("th", { scope: "col", class: "number", title }, text);
  element.replaceChildren(
    html(
      "table",
      {},
      html("caption", {}, "Features at ", tokenOf(token)),
      html(
        "thead",
        {},
        html(
          "tr",
          {},
          html("th", { scope: "col" }, "Feature"),
          head("How much"),
          ...hasQuantiles
            ? [head("Above", "The share of its activations over the corpus that are smaller")]
            : [],
          head(
            "Loss",
            "What the next token’s loss becomes without what the feature writes, minus what it is",
          ),
        ),
      ),
      html(
        "tbody",
        {},
        ...features.map(({ feature, label, activation, quantile }) => {
          const button = html(
            "button",
            { type: "button", "aria-pressed": String(feature === chosen) },
            `#${feature}`,
          );
          button.addEventListener("click", () => choose(feature));
          const effect = effects?.get(feature);
          return html(
            "tr",
            {},
            html(
              "th",
              { scope: "row" },
              button,
              ...label === null ? [] : [" ", html("bdi", {}, label)],
            ),
            html("td", { class: "number" }, activationOf(activation)),
            ...hasQuantiles
              ? [html("td", { class: "number" }, quantile === null ? "–" : share(quantile))]
              : [],
            html(
              "td",
              { class: "number" },
              effects === undefined ? "…" : typeof effect === "number" ? signed(effect) : "–",
            ),
          );
        }),
      ),
    ),
    html(
      "p",
      { class: "note" },
      ...hasQuantiles ? ["Above: of its activations over the corpus. "] : [],
      isLast
        ? "Loss: no token comes next here."
        : "Loss: how many nats the next token costs more without it.",
    ),
  );
}
