import { html } from "../../draw/elements.ts";
import { share } from "../../draw/format.ts";
import { signed } from "../../views/features/details.ts";
import { tokenOf } from "../../widgets/details.ts";
import { addressOf } from "../address.ts";
import type { AboutFeature, Card, NearFeature, TokenWeight } from "../questions.ts";

/** What a feature does to the logits, and its neighbours: tables beside the examples. */
export function asideOf(card: Card, about: AboutFeature): HTMLElement[] {
  const { promoted, suppressed, nearest, together } = card;
  return [
    tokensTable("Promotes", promoted),
    tokensTable("Suppresses", suppressed),
    html(
      "p",
      { class: "note" },
      "What a unit of it adds to the logits, directly, beyond what it adds to all tokens in the mean.",
    ),
    nearTable(
      "Points the same way",
      "Cosine",
      about,
      nearest.map((it) => {
        return { ...it, value: it.cosine.toFixed(2) };
      }),
    ),
    ...together === null ? [] : [
      nearTable(
        "On at the same tokens",
        "Shared",
        about,
        together.map((it) => {
          return { ...it, value: share(it.jaccard) };
        }),
      ),
    ],
  ];
}

function tokensTable(name: string, tokens: readonly TokenWeight[]): HTMLElement {
  const most = Math.max(1e-9, ...tokens.map(({ logit }) => Math.abs(logit)));
  return html(
    "table",
    { class: "logits" },
    html("caption", {}, name),
    headOf("Token", "Logit"),
    html(
      "tbody",
      {},
      ...tokens.map(({ token, logit }) => {
        const bar = html("i");
        bar.style.inlineSize = `${100 * Math.abs(logit) / most}%`;
        return html(
          "tr",
          {},
          html("th", { scope: "row" }, tokenOf(token)),
          html(
            "td",
            { class: "number" },
            html("span", { class: "meter", "aria-hidden": "true" }, bar),
            signed(logit),
          ),
        );
      }),
    ),
  );
}

function nearTable(
  name: string,
  unit: string,
  about: AboutFeature,
  features: readonly (NearFeature & { readonly value: string })[],
): HTMLElement {
  if (features.length === 0) return html("p", { class: "note" }, `${name}: none.`);
  return html(
    "table",
    {},
    html("caption", {}, name),
    headOf("Feature", unit),
    html(
      "tbody",
      {},
      ...features.map(({ feature, label, value }) =>
        html(
          "tr",
          {},
          html(
            "th",
            { scope: "row" },
            html("a", { href: addressOf({ ...about, index: feature }) }, `#${feature}`),
            ...label === null ? [] : [" ", html("bdi", {}, label)],
          ),
          html("td", { class: "number" }, value),
        )
      ),
    ),
  );
}

function headOf(first: string, second: string): HTMLElement {
  return html(
    "thead",
    {},
    html(
      "tr",
      {},
      html("th", { scope: "col" }, first),
      html("th", { scope: "col", class: "number" }, second),
    ),
  );
}
