import { index, oneOf, text } from "../../state/part.ts";
import type { ViewCard } from "../card.ts";

/** What a feature's activation is multiplied by, to see how that changes the forecast. */
export const AMOUNTS = ["1", "0", "2", "5"] as const;

/** The features of a sparse autoencoder that the prompt turns on, and which tokens fed one of them. */
export const FEATURES = {
  tab: "Features",
  layout: "large",
  bos: "DROP",
  unit: "share",
  options: [],
  state: {
    /** The autoencoder by its name; empty: the model's first. */
    sae: text(""),
    /** The feature that is taken apart; not given: the strongest at the chosen token. */
    feature: index,
    /** What its activation is multiplied by in the forecast. */
    amount: oneOf(AMOUNTS),
    /** What the names of features, or the tokens that they promote, are searched for. */
    find: text(""),
  },
} as const satisfies ViewCard;
