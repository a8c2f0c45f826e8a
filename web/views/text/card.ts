import type { ViewCard } from "../card.ts";
import { AGGREGATION, BOS, CURVE, METHOD, SCALE } from "../common_options.ts";

/** The flow as colours of the prompt's own text. */
export const TEXT = {
  tab: "Text",
  layout: "large",
  bos: "DROP",
  options: [METHOD, AGGREGATION, BOS, SCALE, CURVE],
  state: {},
} as const satisfies ViewCard;
