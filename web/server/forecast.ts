import { askGraphQL } from "./graphql.ts";

/** A head of a layer. */
export interface Head {
  readonly layer: number;
  readonly head: number;
}

/** Reads heads as the state writes them, such as `0.3,2.11`. */
export function headsOff(off: string): Head[] {
  return off.split(",").filter(Boolean).map((pair) => {
    const [layer = 0, head = 0] = pair.split(".").map(Number);
    return { layer, head };
  });
}

/** Switches a head off that was on, and the other way round; `key` is such as `2.11`. */
export function toggled(off: string, key: string): string {
  const heads = off.split(",").filter(Boolean);
  return (heads.includes(key) ? heads.filter((head) => head !== key) : [...heads, key]).join(",");
}

/** A token that may come next. */
export interface Prediction {
  readonly text: string;
  readonly probability: number;
}

/** What the model expects behind a prompt, as it is and with heads switched off. */
export interface Forecast {
  readonly whole: readonly Prediction[];
  /** Only where heads are off. */
  readonly without: readonly Prediction[] | undefined;
}

const FIELDS = "{ predictions { text probability } }";
const QUERY = `query Next($prompt: String!, $model: String) {
  whole: nextTokens(prompt: $prompt, model: $model, k: 50) ${FIELDS}
}`;
const QUERY_OFF = `query Next($prompt: String!, $model: String, $off: [HeadInput!]!) {
  whole: nextTokens(prompt: $prompt, model: $model, k: 50) ${FIELDS}
  without: nextTokens(prompt: $prompt, model: $model, k: 50, ablate: $off) ${FIELDS}
}`;

type List = { readonly predictions: readonly Prediction[] };

/**
 * Asks what comes next.
 *
 * @param question The prompt, the heads that are off, and the model's name, as JSON: `{ prompt, off, model }`.
 * @throws {Failure} If there is no answer.
 */
export async function askForecast(question: string, signal: AbortSignal): Promise<Forecast> {
  const { off, ...asked } = JSON.parse(question) as { prompt: string; off: string };
  const heads = headsOff(off);
  const { whole, without } = await askGraphQL<{ whole: List; without?: List }>(
    heads.length === 0 ? QUERY : QUERY_OFF,
    heads.length === 0 ? asked : { ...asked, off: heads },
    signal,
  );
  return { whole: whole.predictions, without: without?.predictions };
}
