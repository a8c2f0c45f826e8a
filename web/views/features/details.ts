import { html } from "../../draw/elements.ts";
import { activationOf, share } from "../../draw/format.ts";
import { labelText } from "../../draw/token_label.ts";
import { tokenOf } from "../../widgets/details.ts";
import type { FeatureCard, FeatureFlow, FoundFeatures } from "./question.ts";

const MOST_SOURCES = 8;
/** Tokens on either side of an example's. */
const AROUND = 8;

/** What a part is called. */
const PARTS: Readonly<Record<string, string>> = {
  EMBEDDING: "its own token",
  POSITION: "its position",
  ATTENTION_BIAS: "attention’s biases",
  MLP: "MLPs",
  BIAS: "the autoencoder’s bias",
};

/** Draws what fed a feature at one target: tokens first, then what came from no token. */
export function drawSources(
  element: HTMLElement,
  flow: FeatureFlow | undefined,
  { tokens, target, feature, first = 0 }: {
    readonly tokens: readonly string[];
    readonly target: number;
    readonly feature: number;
    /** The layer or head of the flow's first row. */
    readonly first?: number;
  },
): void {
  if (!flow) {
    element.replaceChildren(html(
      "p",
      { class: "note" },
      "What an MLP makes is no sum of tokens: choose an autoencoder of the residual stream or of attention.",
    ));
    return;
  }
  const { values, rows, axis, parts, preActivation } = flow;
  const sources = tokens.map((_, source) => {
    let [sum, best, at] = [0, 0, 0];
    for (let row = 0; row < rows; row++) {
      const value = values[row * tokens.length + source]!;
      sum += value;
      if (Math.abs(value) > Math.abs(best)) [best, at] = [value, row];
    }
    return { source, sum, at };
  });
  const strongest = sources.toSorted((a, b) => Math.abs(b.sum) - Math.abs(a.sum))
    .slice(0, MOST_SOURCES);
  const kinds = [...new Set(parts.map(({ kind }) => kind))];
  const others = kinds.map((kind) => ({
    name: PARTS[kind] ?? kind,
    sum: parts.filter((it) => it.kind === kind).reduce((sum, { value }) => sum + value, 0),
  }));
  const number = (value: number): HTMLElement => html("td", { class: "number" }, signed(value));
  element.replaceChildren(html(
    "table",
    {},
    html("caption", {}, `What fed feature ${feature} at `, tokenOf(tokens[target]!)),
    html(
      "thead",
      {},
      html(
        "tr",
        {},
        html("th", { scope: "col" }, "From"),
        html("th", { scope: "col" }, `Most by ${axis}`),
        html("th", { scope: "col", class: "number" }, "Adds"),
      ),
    ),
    html(
      "tbody",
      {},
      ...strongest.map(({ source, sum, at }) =>
        html(
          "tr",
          {},
          html("th", { scope: "row" }, tokenOf(tokens[source]!)),
          html("td", {}, String(first + at)),
          number(sum),
        )
      ),
      ...others.map(({ name, sum }) =>
        html("tr", {}, html("th", { scope: "row" }, name), html("td", {}, ""), number(sum))
      ),
      html(
        "tr",
        {},
        html("th", { scope: "row" }, "All of it"),
        html("td", {}, ""),
        number(preActivation),
      ),
    ),
  ));
}

/** Draws what is known of a feature over a corpus. */
export function drawCard(
  element: HTMLElement,
  card: FeatureCard | undefined,
  { activation, href, choose }: {
    /** At the chosen token. */
    readonly activation: number;
    /** The page of the whole dashboard. */
    readonly href: string;
    readonly choose: (feature: number) => void;
  },
): void {
  if (!card) {
    element.replaceChildren(html(
      "p",
      { class: "note" },
      "What else turns it on is in its dashboard, which is not made yet: ./run dashboards.",
    ));
    return;
  }
  const list = (name: string, tokens: FeatureCard["promoted"]): HTMLElement =>
    html(
      "p",
      {},
      html("strong", {}, name),
      ...tokens.slice(0, 6).flatMap(({ token }) => [" ", tokenOf(token)]),
    );
  const here = activation > 0
    ? ` ${activationOf(activation)} is more than ${share(card.quantile)} of what it is there.`
    : "";
  element.replaceChildren(
    ...card.label === null ? [] : [html("h3", {}, html("bdi", {}, card.label))],
    html(
      "p",
      {},
      `On at ${share(card.density)} of a corpus’ tokens, ${activationOf(card.max)} at most.${here}`,
    ),
    list("Promotes", card.promoted),
    list("Suppresses", card.suppressed),
    html(
      "p",
      {},
      html("strong", {}, "Nearest"),
      ...card.nearest.slice(0, 5).flatMap(({ feature, label }) => [
        " ",
        link(feature, choose),
        ...label === null ? [] : [" ", html("bdi", {}, label)],
      ]),
    ),
    html("h3", {}, "Where it is largest"),
    html("ol", { class: "examples" }, ...card.examples.map(exampleOf)),
    html("p", {}, html("a", { href }, "Its whole dashboard")),
  );
}

/** Draws what a search found. */
export function drawFound(
  element: HTMLElement,
  found: FoundFeatures | undefined,
  choose: (feature: number) => void,
): void {
  if (!found) return element.replaceChildren();
  const { total, features } = found;
  element.replaceChildren(
    html("p", { class: "note" }, total === 0 ? "No feature." : `${features.length} of ${total}:`),
    html(
      "ul",
      { class: "found" },
      ...features.map(({ index, label, promoted }) =>
        html(
          "li",
          {},
          link(index, choose),
          " ",
          ...label === null ? promoted.slice(0, 3).map(({ token }) => tokenOf(token)) : [label],
        )
      ),
    ),
  );
}

function link(feature: number, choose: (feature: number) => void): HTMLElement {
  const button = html("button", { type: "button" }, `#${feature}`);
  button.addEventListener("click", () => choose(feature));
  return button;
}

function exampleOf({ tokens, position, activation }: FeatureCard["examples"][number]): HTMLElement {
  const first = Math.max(1, position - AROUND);
  const end = Math.min(tokens.length, position + AROUND + 1);
  const text = (from: number, to: number): string =>
    tokens.slice(from, to).map((token) => labelText(token, 40).replaceAll("·", " ")).join("");
  return html(
    "li",
    {},
    html("bdi", {}, text(first, position)),
    html("mark", {}, text(position, position + 1)),
    html("bdi", {}, text(position + 1, end)),
    html("span", { class: "place" }, ` ${activationOf(activation)}`),
  );
}

/** A number with its sign. */
export function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}
