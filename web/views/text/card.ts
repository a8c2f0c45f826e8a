import type { ViewCard } from "../card.ts";
import { AGGREGATION, BOS, CURVE, METHOD, SCALE, SELF, UNIT } from "../common_options.ts";

/** The flow as colours of the prompt's own text. */
export const TEXT = {
  tab: "Text",
  layout: "large",
  bos: "DROP",
  unit: "even",
  options: [METHOD, AGGREGATION, BOS, UNIT, SELF, SCALE, CURVE],
  state: {},
} as const satisfies ViewCard;
