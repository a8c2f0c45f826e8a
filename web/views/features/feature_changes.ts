import { html } from "../../draw/elements.ts";
import type { Question } from "../../server/answers.ts";
import { askGraphQL } from "../../server/graphql.ts";
import { tokenOf } from "../../widgets/details.ts";
import { type AboutFeature, type ActiveFeature, type SaeCard, scaled } from "./question.ts";

/** A feature before and after; a number that is not known is at most `under`. */
export interface FeatureChange {
  readonly sae: string;
  readonly feature: number;
  readonly label: string | null;
  readonly before: Activation;
  readonly after: Activation;
}

/** An activation; where weaker ones are not listed, the largest that it can be. */
export interface Activation {
  readonly value: number;
  readonly isBound: boolean;
}

/** Autoencoders that are asked: each is loaded for it. */
const MOST_SAES = 3;
const MOST_ROWS = 8;
/** The API lists no more activations as JSON. */
const MOST_LISTED = 4096;
/** Less is rounding. */
const LEAST = 0.01;

/**
 * Asks which other features change most at a position with a feature's activation multiplied: of its own autoencoder and
 * of those that come after it.
 */
export function changedFeatures(
  about: AboutFeature,
  factor: number,
  { position, tokens, saes }: {
    /** From BOS on. */
    readonly position: number;
    /** How many the prompt has. */
    readonly tokens: number;
    readonly saes: readonly SaeCard[];
  },
): Question<readonly FeatureChange[]> {
  const { prompt, model, sae, feature } = about;
  const later = saes.filter(({ name, layer }) => name !== sae.name && layer >= sae.layer)
    .toSorted((a, b) => a.layer - b.layer);
  const names = [sae, ...later].slice(0, MOST_SAES).map(({ name }) => name);
  const k = Math.max(1, Math.floor(MOST_LISTED / tokens));
  return {
    key: `feature-changes ${JSON.stringify([prompt, model, names, feature, factor, position])}`,
    fetch: async (signal) => {
      const fields = saes.filter(({ name }) => names.includes(name)).flatMap((one, at) => {
        const options = `prompt: $prompt, model: $model, sae: ${JSON.stringify(one.name)}, k: ${
          Math.min(k, one.features)
        }`;
        const rows = "{ sae { name } activations { position feature activation label } }";
        return [
          `before${at}: features(${options}) ${rows}`,
          `after${at}: features(${options}, interventions: $interventions) ${rows}`,
        ];
      });
      const query =
        `query Changes($prompt: String!, $model: String, $interventions: [InterventionInput!]) {
        ${fields.join("\n")}
      }`;
      type Listed = { sae: { name: string }; activations: readonly ActiveFeature[] };
      const variables = { prompt, model, interventions: scaled(about, factor) };
      const data = await askGraphQL<Record<string, Listed>>(query, variables, signal);
      const changes = names.flatMap((_, at) => {
        const { sae: { name }, activations } = data[`before${at}`]!;
        const before = activationsAt(activations, position, k);
        const after = activationsAt(data[`after${at}`]!.activations, position, k);
        const labels = new Map([...before.labels, ...after.labels]);
        return [...new Set([...before.listed.keys(), ...after.listed.keys()])]
          .filter((index) => name !== sae.name || index !== feature)
          .map((index) => {
            const label = labels.get(index) ?? null;
            return {
              sae: name,
              feature: index,
              label,
              before: before.of(index),
              after: after.of(index),
            };
          });
      });
      const moved = ({ before, after }: FeatureChange): number =>
        Math.abs(after.value - before.value);
      return changes.filter((it) => moved(it) >= LEAST)
        .sort((a, b) => moved(b) - moved(a)).slice(0, MOST_ROWS);
    },
  };
}

/** What is on at a position, of the `k` strongest there. */
function activationsAt(
  activations: readonly ActiveFeature[],
  position: number,
  k: number,
): {
  readonly listed: ReadonlyMap<number, number>;
  readonly labels: ReadonlyMap<number, string | null>;
  of(feature: number): Activation;
} {
  const own = activations.filter((it) => it.position === position);
  const listed = new Map(own.map(({ feature, activation }) => [feature, activation]));
  const rest = own.length < k ? 0 : Math.min(...listed.values());
  return {
    listed,
    labels: new Map(own.map(({ feature, label }) => [feature, label])),
    of: (feature) => ({
      value: listed.get(feature) ?? rest,
      isBound: !listed.has(feature) && rest > 0,
    }),
  };
}

/** Draws which features change; nothing before anything is changed. */
export function drawChanges(
  element: HTMLElement,
  changes: readonly FeatureChange[] | undefined,
  { token, sae, after, choose }: {
    readonly token: string;
    /** The autoencoder that is shown. */
    readonly sae: string;
    /** What was done, as the head of a column. */
    readonly after: string;
    readonly choose: (sae: string, feature: number) => void;
  },
): void {
  if (!changes) return element.replaceChildren();
  if (changes.length === 0) {
    element.replaceChildren(
      html("p", { class: "note" }, "No other feature changes at ", tokenOf(token), "."),
    );
    return;
  }
  const column = (text: string): HTMLElement => html("th", { scope: "col", class: "number" }, text);
  const number = (activation: Activation): HTMLElement =>
    html("td", { class: "number" }, textOf(activation));
  element.replaceChildren(html(
    "table",
    {},
    html("caption", {}, "Other features that change most at ", tokenOf(token)),
    html(
      "thead",
      {},
      html("tr", {}, html("th", { scope: "col" }, "Feature"), column("As it is"), column(after)),
    ),
    html(
      "tbody",
      {},
      ...changes.map((it) => {
        const name = it.sae === sae ? `#${it.feature}` : `${it.sae} #${it.feature}`;
        const button = html("button", { type: "button" }, name);
        button.addEventListener("click", () => choose(it.sae, it.feature));
        return html(
          "tr",
          {},
          html(
            "th",
            { scope: "row" },
            button,
            ...it.label === null ? [] : [" ", html("bdi", {}, it.label)],
          ),
          number(it.before),
          number(it.after),
        );
      }),
    ),
  ));
}

function textOf({ value, isBound }: Activation): string {
  if (isBound) return `<${value.toFixed(2)}`;
  return value === 0 ? "off" : value.toFixed(2);
}
