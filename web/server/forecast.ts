import type { Head } from "../calls/call.ts";
import { type PageState, withoutBos } from "../page_state.ts";
import type { Question } from "./answers.ts";
import { askGraphQL } from "./graphql.ts";

/** Reads heads as the state writes them, such as `0.3,2.11`. */
export function headsOff(off: string): Head[] {
  return off.split(",").filter(Boolean).map((pair) => {
    const [layer = 0, head = 0] = pair.split(".").map(Number);
    return { layer, head };
  });
}

/** Ablates a head, or restores it if it was ablated; `key` is such as `2.11`. */
export function toggled(off: string, key: string): string {
  const heads = off.split(",").filter(Boolean);
  return (heads.includes(key) ? heads.filter((head) => head !== key) : [...heads, key]).join(",");
}

/** A token that may come next. */
export interface Prediction {
  readonly text: string;
  readonly probability: number;
}

/** What the model expects after a prompt, with and without heads ablated. */
export interface Forecast {
  readonly whole: readonly Prediction[];
  /** Only if heads are ablated. */
  readonly without: readonly Prediction[] | undefined;
}

const FIELDS = "{ predictions { text probability } }";
const QUERY = `query Next($prompt: String!, $model: String, $bos: BosPolicy) {
  whole: nextTokens(prompt: $prompt, model: $model, bos: $bos, k: 50) ${FIELDS}
}`;
const QUERY_OFF =
  `query Next($prompt: String!, $model: String, $bos: BosPolicy, $off: [HeadInput!]!) {
  whole: nextTokens(prompt: $prompt, model: $model, bos: $bos, k: 50) ${FIELDS}
  without: nextTokens(prompt: $prompt, model: $model, bos: $bos, k: 50, ablate: $off) ${FIELDS}
}`;

type List = { readonly predictions: readonly Prediction[] };

/** Asks what comes next, with and without heads ablated. */
export function forecastOf(
  state: Pick<PageState, "prompt" | "model" | "bos" | "view">,
  off = "",
): Question<Forecast> {
  const { prompt, model } = state;
  const bos = withoutBos(state);
  return {
    key: `forecast ${JSON.stringify([prompt, model, bos, off])}`,
    fetch: async (signal) => {
      const heads = headsOff(off);
      const { whole, without } = await askGraphQL<{ whole: List; without?: List }>(
        heads.length === 0 ? QUERY : QUERY_OFF,
        { prompt, model, bos, ...heads.length === 0 ? {} : { off: heads } },
        signal,
      );
      return { whole: whole.predictions, without: without?.predictions };
    },
  };
}
