import type { Shown } from "./picture.ts";

const AGGREGATION_NAMES = {
  MEAN: "mean of the layers",
  NOTEBOOK: "as in the notebook: the last layers count most",
  ROLLOUT: "rollout: the layers multiplied",
};

/** What is shown large, in a word and a note. */
export function titleOf({ state, reading: { model } }: Shown): { name: string; note: string } {
  const { view, layer, head, aggregation } = state;
  if (view === "heads") {
    return { name: `Layer ${layer ?? 0}, head ${head ?? 0}`, note: "attention pattern" };
  }
  if (layer === undefined) return { name: "All layers", note: AGGREGATION_NAMES[aggregation] };
  return {
    name: `Layer ${layer}`,
    note: aggregation === "ROLLOUT"
      ? `rollout of layers 0 to ${layer}`
      : `mean of its ${model.heads} heads`,
  };
}
