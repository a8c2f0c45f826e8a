/** The definitions of flow in float64, straight from the contract. Patterns are (L, H, T, T). */
import type { AttentionOptions, FlowOptions } from "../../src/requests/flow_options.ts";

type Numbers = ArrayLike<number>;

/** L, H and T. */
export interface PatternShape {
  readonly layers: number;
  readonly heads: number;
  readonly tokens: number;
}

/** The patterns of some layers and heads, and their shape: a model that has no others. */
export function choose(
  patterns: Numbers,
  { layers: L, heads: H, tokens }: PatternShape,
  { layers, heads }: { layers?: readonly number[]; heads?: readonly number[] },
): { patterns: Float64Array; shape: PatternShape } {
  const all = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
  const pairs = (layers ?? all(L)).flatMap((l) => (heads ?? all(H)).map((h) => l * H + h));
  const size = tokens ** 2;
  const chosen = new Float64Array(pairs.length * size);
  pairs.forEach((pair, n) => {
    for (let i = 0; i < size; i++) chosen[n * size + i] = patterns[pair * size + i]!;
  });
  const shape = { layers: (layers ?? all(L)).length, heads: (heads ?? all(H)).length, tokens };
  return { patterns: chosen, shape };
}

/** M[l, i, j] = sum_h A[l, h, i, j] / H. */
export function headMean(
  patterns: Numbers,
  { layers, heads, tokens: T }: PatternShape,
): Float64Array {
  const mean = new Float64Array(layers * T * T);
  for (let l = 0; l < layers; l++) {
    for (let h = 0; h < heads; h++) {
      for (let i = 0; i < T * T; i++) {
        mean[l * T * T + i]! += patterns[(l * heads + h) * T * T + i]! / heads;
      }
    }
  }
  return mean;
}

/** Leaves out the first `first` rows and columns of each (T, T), and divides rows by their sums. */
export function rows(
  matrices: Numbers,
  { tokens: T, first }: { tokens: number; first: number },
): Float64Array {
  const count = matrices.length / (T * T);
  const P = T - first;
  const out = new Float64Array(count * P * P);
  for (let m = 0; m < count; m++) {
    for (let i = 0; i < P; i++) {
      let sum = 0;
      const at = (j: number): number => matrices[(m * T + i + first) * T + j + first]!;
      for (let j = 0; j < P; j++) sum += at(j);
      for (let j = 0; j < P; j++) out[(m * P + i) * P + j] = sum > 0 ? at(j) / sum : 0;
    }
  }
  return out;
}

/** R[l] = (M[l] + I) / 2 R[l - 1] after each layer. */
function rollout(mean: Numbers, { layers, tokens: T }: PatternShape): Float64Array {
  const products = new Float64Array(layers * T * T);
  for (let l = 0; l < layers; l++) {
    for (let i = 0; i < T; i++) {
      for (let k = 0; k < T; k++) {
        const weight = 0.5 * mean[(l * T + i) * T + k]! + (i === k ? 0.5 : 0);
        for (let j = 0; j < T; j++) {
          const before = l === 0 ? (k === j ? 1 : 0) : products[((l - 1) * T + k) * T + j]!;
          products[(l * T + i) * T + j]! += weight * before;
        }
      }
    }
  }
  return products;
}

/** A flow and what BOS had in its rows. */
export interface ReferenceFlow {
  readonly flow: Float64Array;
  readonly dropped: Float64Array;
}

/** The flow that the options ask for. */
export function flow(patterns: Numbers, shape: PatternShape, options: FlowOptions): ReferenceFlow {
  const { layers, tokens: T } = shape;
  const first = options.bos === "DROP" ? 1 : 0;
  const P = T - first;
  const mean = headMean(patterns, shape);
  const isRollout = options.aggregation === "ROLLOUT";
  const byLayer = rows(isRollout ? rollout(mean, shape) : mean, { tokens: T, first });
  const droppedByLayer = Float64Array.from(
    { length: layers * P },
    (_, i) => first * mean[(Math.floor(i / P) * T + i % P + first) * T]!,
  );
  if (options.byLayer) return { flow: byLayer, dropped: droppedByLayer };

  const layer = (l: number): Float64Array => byLayer.subarray(l * P * P, (l + 1) * P * P);
  const combined = new Float64Array(P * P);
  for (let l = 0; l < layers; l++) {
    for (let i = 0; i < P * P; i++) {
      if (options.aggregation === "MEAN") combined[i]! += layer(l)[i]! / layers;
      else if (options.aggregation === "NOTEBOOK") {
        combined[i] = (combined[i]! + layer(l)[i]!) / layers;
      } else combined[i] = layer(l)[i]!;
    }
  }
  const dropped = new Float64Array(P);
  droppedByLayer.forEach((share, i) => dropped[i % P]! += share / layers);
  return { flow: combined, dropped };
}

/** Square matrices with neighbouring positions sharing cells of `span`: the mean over targets of the sum over sources. */
export function pooled(whole: ReferenceFlow, positions: number, span: number): ReferenceFlow {
  const K = Math.ceil(positions / span);
  const matrices = whole.dropped.length / positions;
  const flow = new Float64Array(matrices * K * K);
  const dropped = new Float64Array(matrices * K);
  for (let m = 0; m < matrices; m++) {
    for (let i = 0; i < positions; i++) {
      const row = m * K + Math.floor(i / span);
      const targets = Math.min(span, positions - span * Math.floor(i / span));
      dropped[row]! += whole.dropped[m * positions + i]! / targets;
      for (let j = 0; j < positions; j++) {
        flow[row * K + Math.floor(j / span)]! += whole.flow[(m * positions + i) * positions + j]! /
          targets;
      }
    }
  }
  return { flow, dropped };
}

/** Each head's pattern, pooled to cells of `span` positions: the mean over targets of the sum over sources. */
export function attention(
  patterns: Numbers,
  { layers, heads, tokens: T }: PatternShape,
  { bos, span }: { bos: AttentionOptions["bos"]; span: number },
): ReferenceFlow {
  const first = bos === "DROP" ? 1 : 0;
  const P = T - first;
  const whole = first > 0 ? rows(patterns, { tokens: T, first }) : Float64Array.from(patterns);
  const K = Math.ceil(P / span);
  const flow = new Float64Array(layers * heads * K * K);
  const dropped = new Float64Array(layers * heads * K);
  for (let n = 0; n < layers * heads; n++) {
    for (let i = 0; i < P; i++) {
      const row = n * K + Math.floor(i / span);
      const targets = Math.min(span, P - span * Math.floor(i / span));
      dropped[row]! += first * patterns[(n * T + i + first) * T]! / targets;
      for (let j = 0; j < P; j++) {
        flow[row * K + Math.floor(j / span)]! += whole[(n * P + i) * P + j]! / targets;
      }
    }
  }
  return { flow, dropped };
}
