import { encoded } from "./calls/encoded.ts";
import type { BosPolicy } from "../src/requests/flow_options.ts";
import { COMMON } from "./state/common.ts";
import type { ColourChoice } from "./draw/shade.ts";
import { oneOf, type Part } from "./state/part.ts";
import { VIEWS } from "./views/list.ts";

type Cards = typeof VIEWS;

/** The name of a view, as in a link. */
export type ViewName = keyof Cards;
type All<Union> = (Union extends unknown ? (one: Union) => void : never) extends
  (all: infer Every) => void ? Every : never;
type Parts = typeof COMMON & All<Cards[ViewName]["state"]> & { readonly view: Part<ViewName> };

/** Everything that a link to the page holds: what all views share, and what each view has of its own. */
export type PageState = {
  readonly [Key in keyof Parts]: Parts[Key] extends Part<infer Value> ? Value : never;
};

/** The names of the views, in the order of their tabs. */
export const VIEW_NAMES = Object.keys(VIEWS) as ViewName[];

const { prompt, ...common } = COMMON;
const PARTS: Readonly<Record<string, Part<unknown>>> = Object.assign(
  { prompt, view: oneOf(VIEW_NAMES), ...common },
  ...Object.values(VIEWS).map(({ state }) => state),
);

/** What the page shows without a link's parameters. */
export const DEFAULT_STATE = Object.fromEntries(
  Object.entries(PARTS).map(([key, { initial }]) => [key, initial]),
) as unknown as PageState;

/** A single head rests on BOS when it has nothing to do, which is worth seeing; a flow is read without it. */
export function bosOf({ bos, view }: Pick<PageState, "bos" | "view">): BosPolicy {
  return bos === "AUTO" ? VIEWS[view].bos : bos;
}

/** What the colours of a state are of, and how they grow. */
export function coloursOf(
  { scale, curve, unit, self, view }: Pick<PageState, "scale" | "curve" | "unit" | "self" | "view">,
): ColourChoice {
  const chosen = unit === "AUTO" ? VIEWS[view].unit : unit;
  // Multiples of an even share are around 1, which a square root would show as strong.
  const natural = chosen === "even" ? "linear" : "sqrt";
  return {
    scale,
    unit: chosen,
    curve: curve === "AUTO" ? natural : curve,
    hidesSelf: self === "hidden",
  };
}

/**
 * Reads a link's fragment, such as `#prompt=Hello&view=text`. What it does not understand is left at its default.
 *
 * @returns The state, and the parts that were not understood, as they stand in the link.
 */
export function readState(fragment: string): { state: PageState; broken: string[] } {
  const state: Record<string, unknown> = { ...DEFAULT_STATE };
  const broken: string[] = [];
  for (const part of fragment.replace(/^#/, "").split("&").filter(Boolean)) {
    const [key = "", ...rest] = part.split("=");
    const reader = Object.hasOwn(PARTS, key) ? PARTS[key]!.read : undefined;
    const written = decode(rest.join("="));
    const value = written === undefined ? undefined : reader?.(written);
    if (value === undefined) broken.push(part);
    else state[key] = value;
  }
  return { state: state as unknown as PageState, broken };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** The `bos` argument of questions that only know NONE; otherwise undefined. */
export function withoutBos(state: Pick<PageState, "bos" | "view">): "NONE" | undefined {
  return bosOf(state) === "NONE" ? "NONE" : undefined;
}

/** Writes what differs from {@linkcode DEFAULT_STATE} as a link's fragment. */
export function writeState(state: PageState): string {
  const parts = (Object.keys(DEFAULT_STATE) as (keyof PageState)[])
    .filter((key) => state[key] !== undefined && state[key] !== DEFAULT_STATE[key])
    .map((key) => `${key}=${encoded(String(state[key]).toWellFormed())}`);
  return parts.length === 0 ? "" : `#${parts.join("&")}`;
}
