import type { Intervention } from "./interventions/intervention.ts";
import type { Method } from "./flow_methods.ts";

/** How the layers are combined into one matrix, see docs/methods.md. */
export const AGGREGATIONS = ["MEAN", "NOTEBOOK", "ROLLOUT"] as const;
/** One of {@linkcode AGGREGATIONS}. */
export type Aggregation = typeof AGGREGATIONS[number];

/** Whether BOS is left out after the softmax, keeps its row and column, or is not added at all. */
export const BOS_POLICIES = ["DROP", "KEEP", "NONE"] as const;
/** One of {@linkcode BOS_POLICIES}. */
export type BosPolicy = typeof BOS_POLICIES[number];

/** A head of a layer. */
export interface Head {
  readonly layer: number;
  readonly head: number;
}

/** The numbers of layers, and of heads in each. */
export interface Heads {
  readonly layers: number;
  readonly heads: number;
}

/** The layers and heads that are used, by default all. */
export interface Choice {
  readonly layers?: readonly number[] | null | undefined;
  readonly heads?: readonly number[] | null | undefined;
}

/** Options of a flow. */
export interface FlowOptions extends Choice {
  /** Whether there is a matrix for each layer, or one for all. */
  readonly byLayer: boolean;
  readonly aggregation: Aggregation;
  readonly bos: BosPolicy;
  /** The most rows and columns of a matrix; beyond it, neighbouring positions share a cell. */
  readonly cells?: number | null | undefined;
  /** By default ATTENTION. */
  readonly method?: Method | undefined;
  /** Heads that are ablated: their values are zeroed. */
  readonly ablate?: readonly Head[] | null | undefined;
  /** The run's interventions, in canonical form. */
  readonly interventions?: readonly Intervention[] | null | undefined;
  /** Ablated heads, which the mean over a layer's heads leaves out, unless it has no others. */
  readonly leftOut?: readonly Head[] | undefined;
  /** Whether the matrix is the flow of the changed run minus the flow of the unchanged model. */
  readonly difference?: boolean | undefined;
}

/** Options of attention patterns, head by head. */
export interface AttentionOptions extends Choice {
  readonly byHead: true;
  readonly bos: BosPolicy;
  /** The most rows and columns of a matrix; beyond it, neighbouring positions share a cell. */
  readonly cells?: number | null | undefined;
  /** The run's interventions, in canonical form. */
  readonly interventions?: readonly Intervention[] | null | undefined;
  /** The rows to compute, in ascending order, by default all. */
  readonly targets?: readonly number[] | undefined;
}

/** Options of a matrix. */
export type MatrixOptions = FlowOptions | AttentionOptions;

/** A flow of information: how much each source position feeds each target position. */
export interface FlowMatrix {
  /** (L, H, P, P) by head, (L, P, P) by layer, (P, P) otherwise; row-major, target before source, causal. */
  readonly flow: Float32Array<ArrayBuffer>;
  /** BOS's share of each row, for flows of attention the mean over heads; 0 if BOS is kept. */
  readonly dropped: Float32Array<ArrayBuffer>;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
}

/** A flow, and whether it needed no forward pass. */
export interface FlowResult extends FlowMatrix {
  readonly cacheHit: boolean;
}

/** Whether the matrix has an axis of heads. */
export function isByHead(options: MatrixOptions): options is AttentionOptions {
  return "byHead" in options;
}

/** The flow method of options. */
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
