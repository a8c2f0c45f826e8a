import type { Intervention } from "./interventions/intervention.ts";
import type { Method } from "./flow_methods.ts";

/** How the layers become one matrix, see docs/methods.md. */
export const AGGREGATIONS = ["MEAN", "NOTEBOOK", "ROLLOUT"] as const;
/** One of {@linkcode AGGREGATIONS}. */
export type Aggregation = typeof AGGREGATIONS[number];

/** Whether BOS is left out after the softmax, keeps its row and column, or is not put in front at all. */
export const BOS_POLICIES = ["DROP", "KEEP", "NONE"] as const;
/** One of {@linkcode BOS_POLICIES}. */
export type BosPolicy = typeof BOS_POLICIES[number];

/** A head of a layer. */
export interface Head {
  readonly layer: number;
  readonly head: number;
}

/** How many layers a model has, and heads in each. */
export interface Heads {
  readonly layers: number;
  readonly heads: number;
}

/** Which layers and heads take part; all where nothing is said. */
export interface Choice {
  readonly layers?: readonly number[] | null | undefined;
  readonly heads?: readonly number[] | null | undefined;
}

/** Options of a flow. */
export interface FlowOptions extends Choice {
  /** A matrix a layer, or one for all. */
  readonly byLayer: boolean;
  readonly aggregation: Aggregation;
  readonly bos: BosPolicy;
  /** The most rows and columns of a matrix; neighbouring positions share a cell where there are more. */
  readonly cells?: number | null | undefined;
  /** ATTENTION where nothing is said. */
  readonly method?: Method | undefined;
  /** Heads that are ablated: their values are zeroed. */
  readonly ablate?: readonly Head[] | null | undefined;
  /** The run's interventions, in canonical form. */
  readonly interventions?: readonly Intervention[] | null | undefined;
  /** Heads that the mean over a layer's heads leaves out, unless it has no others: those that write nothing. */
  readonly leftOut?: readonly Head[] | undefined;
  /** Whether the matrix is what these changes make of it: the flow with them minus the flow of the model as it is. */
  readonly difference?: boolean | undefined;
}

/** Which heads' attention patterns are asked for, each head by itself. */
export interface AttentionOptions extends Choice {
  readonly byHead: true;
  readonly bos: BosPolicy;
  /** The most rows and columns of a matrix; neighbouring positions share a cell where there are more. */
  readonly cells?: number | null | undefined;
  /** The run's interventions, in canonical form. */
  readonly interventions?: readonly Intervention[] | null | undefined;
  /** The rows to make, in ascending order; all where nothing is said. */
  readonly targets?: readonly number[] | undefined;
}

/** Options of a matrix. */
export type MatrixOptions = FlowOptions | AttentionOptions;

/** A flow of information: how much each source position feeds each target position. */
export interface FlowMatrix {
  /** (L, H, P, P) by head, (L, P, P) by layer, (P, P) otherwise; row-major, target before source, causal. */
  readonly flow: Float32Array<ArrayBuffer>;
  /** A number for each row: what BOS had in it, for attention the mean over heads; 0 where it is kept. */
  readonly dropped: Float32Array<ArrayBuffer>;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
}

/** A flow, and whether it cost no forward pass. */
export interface FlowResult extends FlowMatrix {
  readonly cacheHit: boolean;
}

/** Whether each head is asked for by itself. */
export function isByHead(options: MatrixOptions): options is AttentionOptions {
  return "byHead" in options;
}

/** The flow method that options ask for. */
export function methodOf(options: MatrixOptions): Method {
  return isByHead(options) ? "ATTENTION" : options.method ?? "ATTENTION";
}

/** The heads that are ablated. */
export function ablatedIn(options: MatrixOptions): readonly Head[] {
  return isByHead(options) ? [] : options.ablate ?? [];
}

/** The first position that is kept. */
export function keptFrom({ bos }: MatrixOptions): number {
  return bos === "DROP" ? 1 : 0;
}

/** The number of neighbouring positions that share a cell. */
export function spanOf(options: MatrixOptions, tokens: number): number {
  const positions = tokens - keptFrom(options);
  return Math.ceil(positions / (options.cells ?? positions));
}
