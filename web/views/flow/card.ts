import type { ViewCard } from "../card.ts";
import { AGGREGATION, BOS, CURVE, METHOD, SCALE } from "../common_options.ts";

/** The flow as a heatmap, of all layers and of each. */
export const FLOW = {
  tab: "Flow",
  layout: "large",
  bos: "DROP",
  options: [METHOD, AGGREGATION, BOS, SCALE, CURVE],
  state: {},
} as const satisfies ViewCard;
