/** A place that routes come through. */
export interface RouteNode {
  /** STREAM: after how many layers. Otherwise: in which layer. */
  readonly layer: number;
  /** The residual stream between layers, between a layer's attention and MLP, or the MLP. */
  readonly place: "STREAM" | "MIDDLE" | "MLP";
  readonly position: number;
  /** The share of the target that comes through here, along edges above the threshold. */
  readonly share: number;
}

/** A connection between two places that carries information from the lower one to the higher. */
export interface RouteEdge {
  readonly layer: number;
  readonly kind: "HEAD" | "RESIDUAL" | "MLP" | "MLP_RESIDUAL";
  /** Null for a part that is not a head's. */
  readonly head: number | null;
  readonly source: number;
  readonly target: number;
  /** Its share of the sum that it is a part of. */
  readonly weight: number;
}

/** Routes to a target, as a graph. */
export interface RouteGraph {
  readonly target: number;
  readonly nodes: readonly RouteNode[];
  readonly edges: readonly RouteEdge[];
}
