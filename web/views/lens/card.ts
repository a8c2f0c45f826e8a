import { text } from "../../state/part.ts";
import type { ViewCard } from "../card.ts";

/** What every position would predict after each layer. */
export const LENS = {
  tab: "Lens",
  layout: "large",
  bos: "KEEP",
  unit: "share",
  options: [],
  state: {
    /** The token whose probability is the colour; empty: the likeliest of each cell. */
    lens: text(""),
  },
} as const satisfies ViewCard;
