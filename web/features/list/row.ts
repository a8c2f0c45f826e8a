import { html } from "../../draw/elements.ts";
import { activationOf, share } from "../../draw/format.ts";
import { tokenOf } from "../../widgets/details.ts";
import type { ListedFeature } from "../questions.ts";

/** Tokens that are named in a row. */
const MOST_TOKENS = 4;
/** A bar is empty here: it has a tenth of its length for each tenth part of a share's logarithm. */
const LEAST = 1e-5;

/** The columns of the list, in their order: what stands above each, its class, and what is said where there are bars. */
export const COLUMNS = [
  ["Feature", "", ""],
  ["On at", "tokens", ""],
  ["Promotes", "promoted", ""],
  ["Share of tokens", "number", ", log bar"],
  ["Largest", "number largest", ""],
] as const;

/** What a row of the list shows. */
export interface RowPicture {
  readonly row: number;
  /** Not given: not here yet. */
  readonly feature: ListedFeature | undefined;
  /** The tokens that it is largest at. */
  readonly tokens: readonly string[] | undefined;
  readonly href: string;
  /** Whether the Tab key comes to it. */
  readonly isReachable: boolean;
}

/** Draws a row of the list. */
export function drawRow({ row, feature, tokens, href, isReachable }: RowPicture): HTMLElement {
  const attributes = { "data-row": row, "aria-rowindex": row + 2 };
  if (!feature) {
    const cells = COLUMNS.map(([, kind]) => html("td", { class: kind }, "…"));
    return html("tr", attributes, ...cells);
  }
  const { index, label, density, max, promoted } = feature;
  const isDead = feature.count === 0;
  const bar = html("i");
  bar.style.inlineSize = `${100 * Math.max(0, 1 - Math.log(density) / Math.log(LEAST))}%`;
  return html(
    "tr",
    { ...attributes, class: isDead ? "dead" : undefined },
    html(
      "th",
      { scope: "row", title: label ?? undefined },
      html("a", { href, tabindex: isReachable ? 0 : -1 }, `#${index}`),
      ...label === null ? [] : [" ", html("bdi", {}, label)],
    ),
    html("td", { class: "tokens" }, ...isDead ? ["never on"] : named(tokens ?? [])),
    html("td", { class: "promoted" }, ...named(promoted.map(({ token }) => token))),
    html(
      "td",
      { class: "number" },
      html("span", { class: "meter", "aria-hidden": "true" }, bar),
      share(density),
    ),
    html("td", { class: "number largest" }, isDead ? "–" : activationOf(max)),
  );
}

function named(tokens: readonly string[]): (Node | string)[] {
  return tokens.slice(0, MOST_TOKENS).flatMap((token) => [tokenOf(token), " "]);
}
