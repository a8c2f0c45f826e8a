import type { ViewCard } from "../card.ts";
import { AGGREGATION, BOS, CURVE, METHOD, SCALE, SELF, UNIT } from "../common_options.ts";

/** The flow as a heatmap, of all layers and of each. */
export const FLOW = {
  tab: "Flow",
  layout: "large",
  bos: "DROP",
  unit: "share",
  options: [METHOD, AGGREGATION, BOS, UNIT, SELF, SCALE, CURVE],
  state: {},
} as const satisfies ViewCard;
