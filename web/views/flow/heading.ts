import type { Heading, Known } from "../../exhibits/known.ts";

const AGGREGATION_NAMES = {
  MEAN: "mean of the layers",
  NOTEBOOK: "as in the notebook: the last layers count most",
  ROLLOUT: "rollout: the layers multiplied",
};

/** What is shown large: all layers, or one of them. */
export function headingOf(
  { state: { layer, aggregation }, reading: { model } }: Known,
): Heading {
  if (layer === undefined) return { name: "All layers", note: AGGREGATION_NAMES[aggregation] };
  return {
    name: `Layer ${layer}`,
    note: aggregation === "ROLLOUT"
      ? `rollout of layers 0 to ${layer}`
      : `mean of its ${model.heads} heads`,
  };
}
