import { headList, oneOf } from "../../state/part.ts";
import type { ViewCard } from "../card.ts";
import { AGGREGATION, BOS, CURVE, METHOD, SCALE, SELF, UNIT } from "../common_options.ts";

/** The flow and the prediction with heads ablated. */
export const WHAT_IF = {
  tab: "What if",
  layout: "grid",
  bos: "DROP",
  unit: "share",
  options: [METHOD, AGGREGATION, BOS, UNIT, SELF, SCALE, CURVE],
  state: {
    /** The heads that are ablated. */
    off: headList,
    /** Whether the flow with these heads ablated is shown, or the difference that they make. */
    show: oneOf(["result", "change"]),
    /** What heads are tinted by: the effect of ablating each, or what each writes. */
    tint: oneOf(["effect", "direct", "none"]),
  },
} as const satisfies ViewCard;
