/** How the layers become one matrix, see "Definitions" in the README. */
export const AGGREGATIONS = ["MEAN", "NOTEBOOK", "ROLLOUT"] as const;
/** One of {@linkcode AGGREGATIONS}. */
export type Aggregation = typeof AGGREGATIONS[number];

/** Whether BOS keeps its row and column, or is left out after the softmax. */
export const BOS_POLICIES = ["DROP", "KEEP"] as const;
/** One of {@linkcode BOS_POLICIES}. */
export type BosPolicy = typeof BOS_POLICIES[number];

/** Which flow is asked for. */
export interface FlowOptions {
  /** A matrix a layer, or one for all. */
  readonly byLayer: boolean;
  readonly aggregation: Aggregation;
  readonly bos: BosPolicy;
}

/** What a caller gets who names no options. */
export const DEFAULT_OPTIONS: FlowOptions = { byLayer: false, aggregation: "MEAN", bos: "DROP" };

/** A flow of information: how much each source position feeds each target position. */
export interface FlowMatrix {
  /** (L, P, P) by layer, (P, P) otherwise; row-major, target before source, zero above the diagonal. */
  readonly flow: Float32Array<ArrayBuffer>;
  /** (L, P) or (P): the mean over heads of what BOS had in the row; 0 where it is kept. */
  readonly dropped: Float32Array<ArrayBuffer>;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
}

/** The axes and the shape of a flow, before it is computed. */
export function flowShape(
  { byLayer, bos }: FlowOptions,
  { layers, tokens }: { layers: number; tokens: number },
): Pick<FlowMatrix, "axes" | "shape"> {
  const positions = bos === "DROP" ? tokens - 1 : tokens;
  return byLayer
    ? { axes: ["layer", "target", "source"], shape: [layers, positions, positions] }
    : { axes: ["target", "source"], shape: [positions, positions] };
}
