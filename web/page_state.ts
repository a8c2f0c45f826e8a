/** The pictures of the page. */
export const VIEWS = ["flow", "text", "heads", "routes", "whatif"] as const;
/** One of {@linkcode VIEWS}. */
export type View = typeof VIEWS[number];

/** How the layers become one matrix, as in the API. */
export const AGGREGATIONS = ["MEAN", "NOTEBOOK", "ROLLOUT"] as const;
/** One of {@linkcode AGGREGATIONS}. */
export type Aggregation = typeof AGGREGATIONS[number];

/** What is taken for flow, as in the API. */
export const METHODS = [
  "ATTENTION",
  "VALUE_NORM",
  "ATTENTION_NORM",
  "ATTENTION_RESIDUAL",
  "ALTI",
  "ROUTES",
  "VALUE_ZEROING",
] as const;
/** One of {@linkcode METHODS}. */
export type Method = typeof METHODS[number];

/** The thresholds that the routes view offers. */
export const THRESHOLDS = ["0.005", "0.01", "0.02", "0.04", "0.08"] as const;
/** One of {@linkcode THRESHOLDS}. */
export type Threshold = typeof THRESHOLDS[number];

/** What heads can be sorted by: their place in the model, or how much they do of a job. */
export const SORTS = ["place", "previousToken", "bos", "induction"] as const;
/** One of {@linkcode SORTS}. */
export type Sort = typeof SORTS[number];

/** What becomes of BOS, as in the API. */
export const BOS_POLICIES = ["DROP", "KEEP"] as const;
/** One of {@linkcode BOS_POLICIES}. */
export type BosPolicy = typeof BOS_POLICIES[number];

/** Everything that a link to the page holds. */
export interface PageState {
  readonly prompt: string;
  /** The model's name; not given: the server's first. */
  readonly model: string | undefined;
  readonly view: View;
  readonly method: Method;
  readonly aggregation: Aggregation;
  /** Not given: what the view is best seen with, see {@linkcode bosOf}. */
  readonly bos: BosPolicy | undefined;
  /** The layer that is shown large; not given: all layers as one. */
  readonly layer: number | undefined;
  /** The head that is shown large, of the head view. */
  readonly head: number | undefined;
  /** One colour scale for all panels, or one for each. */
  readonly scale: "shared" | "panel";
  /** How a colour grows with a weight. */
  readonly curve: "sqrt" | "linear";
  /** The position of the token that was chosen. */
  readonly token: number | undefined;
  /** Whether its sources are shown, or the targets that take from it. */
  readonly direction: "sources" | "targets";
  /** The heads that are switched off in the what-if view, such as `0.3,2.11`. */
  readonly off: string;
  /** Whether that view shows the flow without them, or what changes. */
  readonly show: "result" | "change";
  /** The least share of an edge of the routes view. */
  readonly threshold: Threshold;
  /** By which job the head grid is sorted. */
  readonly sort: Sort;
}

/** What somebody sees who follows no link. */
export const DEFAULT_STATE: PageState = {
  prompt: "Mary and John went to the store. John gave the cart to",
  model: undefined,
  view: "flow",
  method: "ATTENTION",
  aggregation: "MEAN",
  bos: undefined,
  layer: undefined,
  head: undefined,
  scale: "shared",
  curve: "sqrt",
  token: undefined,
  direction: "sources",
  off: "",
  show: "result",
  threshold: "0.02",
  sort: "place",
};

/** A single head rests on BOS when it has nothing to do, which is worth seeing; a flow is read without it. */
export function bosOf({ bos, view }: Pick<PageState, "bos" | "view">): BosPolicy {
  return bos ?? (view === "heads" ? "KEEP" : "DROP");
}

type Reader = (text: string) => unknown;

const oneOf = (values: readonly string[]): Reader => (text) =>
  values.includes(text) ? text : undefined;
const index: Reader = (text) => /^\d{1,6}$/.test(text) ? Number(text) : undefined;

const READERS: { readonly [Key in keyof PageState]: Reader } = {
  prompt: (text) => text,
  model: (text) => text || undefined,
  view: oneOf(VIEWS),
  method: oneOf(METHODS),
  aggregation: oneOf(AGGREGATIONS),
  bos: oneOf(BOS_POLICIES),
  layer: index,
  head: index,
  scale: oneOf(["shared", "panel"]),
  curve: oneOf(["sqrt", "linear"]),
  token: index,
  direction: oneOf(["sources", "targets"]),
  off: (text) => /^(\d{1,4}\.\d{1,4}(,(?!$)|$))*$/.test(text) ? text : undefined,
  show: oneOf(["result", "change"]),
  threshold: oneOf(THRESHOLDS),
  sort: oneOf(SORTS),
};

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
    const reader = Object.hasOwn(READERS, key) ? READERS[key as keyof PageState] : undefined;
    const value = reader?.(decode(rest.join("=")) ?? "\0");
    if (value === undefined || value === "\0") broken.push(part);
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

/** Writes what differs from {@linkcode DEFAULT_STATE} as a link's fragment. */
export function writeState(state: PageState): string {
  const parts = (Object.keys(DEFAULT_STATE) as (keyof PageState)[])
    .filter((key) => state[key] !== undefined && state[key] !== DEFAULT_STATE[key])
    .map((key) => `${key}=${encodeURIComponent(String(state[key]).toWellFormed())}`);
  return parts.length === 0 ? "" : `#${parts.join("&")}`;
}
