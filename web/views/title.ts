import { headsOff } from "../server/forecast.ts";
import type { Shown } from "./picture.ts";

const AGGREGATION_NAMES = {
  MEAN: "mean of the layers",
  NOTEBOOK: "as in the notebook: the last layers count most",
  ROLLOUT: "rollout: the layers multiplied",
};

/** What is shown large, in a word and a note. */
export function titleOf({ state, reading: { model } }: Shown): { name: string; note: string } {
  const { view, layer, head, aggregation } = state;
  if (view === "whatif") {
    const off = headsOff(state.off).length;
    if (off === 0) {
      return { name: "All heads on", note: "click heads in the grid to switch them off" };
    }
    const heads = `${off} ${off === 1 ? "head" : "heads"} off`;
    return { name: heads, note: state.show === "change" ? "what changes" : "all layers as one" };
  }
  if (view === "routes") {
    return { name: "Routes", note: "what carries the prediction here, from the bottom up" };
  }
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
