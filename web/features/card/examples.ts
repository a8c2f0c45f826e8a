import { html } from "../../draw/elements.ts";
import { activationOf, count, share } from "../../draw/format.ts";
import { encoded } from "../../calls/encoded.ts";
import { siblingOf } from "../address.ts";
import type { AboutFeature, Card, Example } from "../questions.ts";
import { Passage, type PassageTools } from "./passage.ts";

/** The largest that are unfolded at first. */
const SHOWN = 8;

/** A feature's places: the largest, and some of each fifth of how large it is. */
export function examplesOf(card: Card, tools: PassageTools): HTMLElement[] {
  const { examples, groups, max, histogram } = card;
  if (examples.length === 0) {
    return [html("p", {}, "It is on at no token of this corpus: a dead feature, or a rare one.")];
  }
  const rest = examples.slice(SHOWN);
  const total = histogram.reduce((sum, times) => sum + times, 0);
  const bars = histogram.length / groups.length;
  const fifths = groups.map((group, at) => {
    const times = histogram.slice(at * bars, (at + 1) * bars).reduce((a, b) => a + b, 0);
    const [from, to] = [at, at + 1].map((edge) => activationOf(max * edge / groups.length));
    return folded(
      `${from} to ${to}: ${share(times / total)} of the ${count(total)} times`,
      group,
      tools,
    );
  });
  return [
    html("h3", {}, "Where it is largest"),
    listOf(examples.slice(0, SHOWN), tools),
    ...rest.length > 0 ? [folded(`The next ${rest.length}`, rest, tools)] : [],
    html("h3", {}, "Drawn at random, by how large it is"),
    ...fifths.toReversed(),
  ];
}

function folded(name: string, examples: readonly Example[], tools: PassageTools): HTMLElement {
  const details = html("details", { class: "fold" }, html("summary", {}, name));
  let isDrawn = false;
  details.addEventListener("toggle", () => {
    if (isDrawn || !details.open) return;
    isDrawn = true;
    details.append(
      examples.length > 0
        ? listOf(examples, tools)
        : html("p", { class: "note" }, "There is none."),
    );
  });
  return details;
}

function listOf(examples: readonly Example[], tools: PassageTools): HTMLElement {
  return html(
    "ol",
    { class: "places" },
    ...examples.map((example) => {
      const { ids, tokens, activations, position, activation, prompt } = example;
      const open = linkToView(tools.about, example);
      const passage = new Passage(
        tools,
        html("b", {}, activationOf(activation)),
        html("span", {}, `text ${count(prompt)}`),
        ...open === undefined ? [] : [html("a", { href: open }, "Open in the Features view")],
      );
      passage.show({ source: { ids }, tokens, activations, position });
      return html("li", {}, passage.element);
    }),
  );
}

/** The page of one prompt, with the example's text, this feature and the example's token. */
export function linkToView(
  { model, sae, index }: AboutFeature,
  { text, position }: Pick<Example, "text" | "position">,
): string | undefined {
  if (text === null) return undefined;
  // Positions count from BOS, which that view leaves out.
  const state = { prompt: text, view: "features", model, sae, feature: index, token: position - 1 };
  const parts = Object.entries(state).filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${encoded(String(value))}`);
  return siblingOf(`./#${parts.join("&")}`);
}
