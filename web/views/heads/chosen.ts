import type { Call } from "../../calls/call.ts";
import type { PageState } from "../../page_state.ts";
import { bosOf } from "../../page_state.ts";
import type { ModelCard } from "../../server/reading.ts";
import { attentionCall, flowCall } from "../flow_call.ts";
import type { Heading } from "../../exhibits/known.ts";

/** The heads that are shown large: one, or all of some neighbouring layers and heads. */
export interface ChosenHeads {
  readonly layers: readonly number[];
  readonly heads: readonly number[];
}

/** What a state chooses; `best` where it chooses nothing. */
export function chosenHeads(
  { layer, head, toLayer, toHead }: PageState,
  model: ModelCard,
  best: { readonly layer: number; readonly head: number } = { layer: 0, head: 0 },
): ChosenHeads {
  const isNone = layer === undefined && head === undefined;
  const from = isNone ? best : { layer: layer ?? 0, head: head ?? 0 };
  return {
    layers: between(from.layer, Math.min(toLayer ?? from.layer, model.layers - 1)),
    heads: between(from.head, Math.min(toHead ?? from.head, model.heads - 1)),
  };
}

function between(one: number, other: number): number[] {
  const [first, last] = [Math.min(one, other), Math.max(one, other)];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** The keys of their small pictures. */
export function keysOf({ layers, heads }: ChosenHeads): ReadonlySet<string> {
  return new Set(layers.flatMap((layer) => heads.map((head) => `${layer}.${head}`)));
}

/** The pattern of one head, or the mean of several. */
export function chosenCall(state: PageState, { layers, heads }: ChosenHeads): Call {
  if (layers.length * heads.length === 1) return attentionCall(state, { layers, heads });
  return flowCall({ ...state, method: "ATTENTION", aggregation: "MEAN" }, { layers, heads });
}

/** What is shown large, in words. */
export function headingOf(state: PageState, { layers, heads }: ChosenHeads): Heading {
  const count = layers.length * heads.length;
  const name = `${named("Layer", layers)}, ${named("head", heads)}`;
  if (count === 1) return { name, note: "attention pattern" };
  const each = bosOf(state) === "KEEP" ? "" : ", each layer divided by what BOS leaves";
  return { name, note: `mean of ${count} attention patterns${each}` };
}

function named(what: string, indices: readonly number[]): string {
  return indices.length === 1
    ? `${what} ${indices[0]}`
    : `${what}s ${indices[0]}–${indices.at(-1)}`;
}
