import type { Call } from "../../calls/call.ts";
import type { PageState } from "../../page_state.ts";
import { flowCall } from "../flow_call.ts";

/** The flow that is shown large: of all layers, or of one. */
export function shownCall(state: PageState): Call {
  const { layer, aggregation } = state;
  if (layer === undefined) return flowCall(state);
  // The rollout after a layer is the product of all up to it.
  return aggregation === "ROLLOUT"
    ? flowCall(state, { layers: Array.from({ length: layer + 1 }, (_, index) => index) })
    : flowCall(state, { byLayer: true, layers: [layer] });
}

/** The most rows and columns of a layer's small picture. */
const SMALL = 96;

/** The flows that are shown small: of all layers as one, and of each. */
export function smallCalls(state: PageState, positions: number): readonly [all: Call, each: Call] {
  const cells = positions > SMALL ? SMALL : undefined;
  return [flowCall(state, { cells }), flowCall(state, { byLayer: true, cells })];
}
