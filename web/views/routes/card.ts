import { index, oneOf } from "../../state/part.ts";
import type { ViewCard } from "../card.ts";

const THRESHOLD = {
  name: "threshold",
  label: "Threshold",
  help: "Edges with a smaller share of their sum are not followed.",
  choices: [["0.005", "0.5%"], ["0.01", "1%"], ["0.02", "2%"], ["0.04", "4%"], ["0.08", "8%"]],
} as const;

/** What carries the prediction at one token, as a graph. */
export const ROUTES = {
  tab: "Routes",
  layout: "large",
  bos: "DROP",
  unit: "share",
  options: [THRESHOLD],
  state: {
    /** How many edges, those that carry most; not given: 40. */
    edges: index,
    /** The least share of an edge. */
    threshold: oneOf(["0.005", "0.01", "0.02", "0.04", "0.08"], "0.02"),
  },
} as const satisfies ViewCard;
