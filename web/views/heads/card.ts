import { index, oneOf } from "../../state/part.ts";
import type { ViewCard } from "../card.ts";
import { BOS, CURVE, SCALE, SELF, UNIT } from "../common_options.ts";

const SORT = {
  name: "sort",
  label: "Sort",
  help: "The order of heads: by layer, or by how much of a known job they do.",
  choices: [
    ["place", "layer, head"],
    ["previousToken", "previous token"],
    ["bos", "rests on BOS"],
    ["induction", "induction"],
  ],
} as const;

/** Every head's attention pattern. */
export const HEADS = {
  tab: "Heads",
  layout: "grid",
  bos: "KEEP",
  unit: "share",
  options: [SORT, BOS, UNIT, SELF, SCALE, CURVE],
  state: {
    /** The other corner where several are shown large as one; not given: one is. */
    toLayer: index,
    toHead: index,
    /** By which job the head grid is sorted. */
    sort: oneOf(
      SORT.choices.map(([value]) => value) as ["place", "previousToken", "bos", "induction"],
    ),
  },
} as const satisfies ViewCard;
