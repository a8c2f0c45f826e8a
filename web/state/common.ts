import { METHODS } from "../../src/requests/flow_methods.ts";
import { AGGREGATIONS, BOS_POLICIES } from "../../src/requests/flow_options.ts";
import { index, name, oneOf, text } from "./part.ts";

/** The parts of the state that several views share. */
export const COMMON = {
  prompt: text("Mary and John went to the store. John gave the cart to"),
  /** The model's name; not given: the server's first. */
  model: name,
  method: oneOf(METHODS),
  aggregation: oneOf(AGGREGATIONS),
  /** AUTO: what the view is best seen with, see `bosOf`. */
  bos: oneOf(["AUTO", ...BOS_POLICIES]),
  /** The layer that is shown large; not given: all layers as one. */
  layer: index,
  /** The head that is shown large, of the views of heads. */
  head: index,
  /** One colour scale for all panels, or one for each. */
  scale: oneOf(["shared", "panel"]),
  /** How a colour grows with a weight; AUTO: what goes with the unit. */
  curve: oneOf(["AUTO", "sqrt", "linear"]),
  /** What colours are of: shares, or how many times an even share; AUTO: what the view is best seen with. */
  unit: oneOf(["AUTO", "share", "even"]),
  /** Whether a token's share in itself is coloured. */
  self: oneOf(["shown", "hidden"]),
  /** The position of the token that was chosen. */
  token: index,
  /** Whether its sources are shown, or the targets that take from it. */
  direction: oneOf(["sources", "targets"]),
} as const;
