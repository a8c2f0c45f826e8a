/**
 * The other measures of flow in float64 and in plain loops. f^h(x_j) = v_j^h W_O^h is what head h moves from source j;
 * b_V is in it, b_O in none of them. Matrices are (T, T), target before source, of one layer.
 */
import type { Architecture } from "../../src/requests/architecture/architecture.ts";
import { ACTIVATIONS, add, type LayerTrace, linear, norm, type Weights } from "./gpt2.ts";

type Numbers = ArrayLike<number>;

/** What a method looks at in one layer. */
export interface MethodLayer {
  readonly heads: number;
  readonly tokens: number;
  readonly channels: number;
  readonly trace: LayerTrace;
  /** (T, H, C) */
  readonly f: Float64Array;
  /** From the residual stream after attention to that after the MLP, (rows, C). */
  mlpBlock(mid: Numbers): Float64Array;
}

/** Puts together what methods look at. */
export function methodLayers(
  architecture: Architecture,
  weights: Weights,
  traces: readonly LayerTrace[],
): MethodLayer[] {
  const { heads, channels, epsilon, activation } = architecture;
  return traces.map((trace, layer) => {
    const of = (name: string): Numbers => weights.get(`h.${layer}.${name}`)!;
    return {
      heads,
      channels,
      tokens: trace.residPre.length / channels,
      trace,
      f: headOutputs(trace.qkv, of("attn.c_proj.weight"), { heads, channels }),
      mlpBlock: (mid) => {
        const normed = norm(mid, { gain: of("ln_2.weight"), bias: of("ln_2.bias"), epsilon });
        const hidden = ACTIVATIONS[activation](
          linear(normed, of("mlp.c_fc.weight"), of("mlp.c_fc.bias")),
        );
        return add(mid, linear(hidden, of("mlp.c_proj.weight"), of("mlp.c_proj.bias")));
      },
    };
  });
}

/** f, (T, H, C), of (T, 3C) and (C, C). */
export function headOutputs(
  qkv: Numbers,
  w: Numbers,
  { heads: H, channels: C }: { heads: number; channels: number },
): Float64Array {
  const T = qkv.length / (3 * C);
  const D = C / H;
  const f = new Float64Array(T * H * C);
  for (let j = 0; j < T; j++) {
    for (let k = 0; k < C; k++) {
      const at = (j * H + Math.floor(k / D)) * C;
      const v = qkv[j * 3 * C + 2 * C + k]!;
      for (let c = 0; c < C; c++) f[at + c]! += v * w[k * C + c]!;
    }
  }
  return f;
}

/** What head h of a layer takes from j to i. */
function weightOf({ trace, tokens: T }: MethodLayer, h: number, i: number, j: number): number {
  return trace.patterns[(h * T + i) * T + j]!;
}

/** Calls `measure` for each target and the sources that it sees; what is above the diagonal is 0. */
function triangle(T: number, measure: (i: number, j: number) => number): Float64Array {
  const matrix = new Float64Array(T * T);
  for (let i = 0; i < T; i++) {
    for (let j = 0; j <= i; j++) matrix[i * T + j] = measure(i, j);
  }
  return matrix;
}

/** The length of a vector. */
export const norm2 = (x: Numbers): number => Math.hypot(...Array.from(x));
const norm1 = (x: Numbers): number => Array.from(x).reduce((sum, v) => sum + Math.abs(v), 0);

/** |y|_1 - |y - z|_1: how much nearer z brings one to y. */
function proximity(z: Numbers, y: Numbers): number {
  return norm1(y) - norm1(Array.from(y, (v, c) => v - z[c]!));
}

/** sum_h A f, what target i takes from source j. */
export function moved(layer: MethodLayer, i: number, j: number): Float64Array {
  const { heads: H, channels: C, f } = layer;
  const sum = new Float64Array(C);
  for (let h = 0; h < H; h++) {
    const a = weightOf(layer, h, i, j);
    for (let c = 0; c < C; c++) sum[c]! += a * f[(j * H + h) * C + c]!;
  }
  return sum;
}

/** The same, with the residual stream on the diagonal. */
function movedAndKept(layer: MethodLayer, i: number, j: number): Float64Array {
  const u = moved(layer, i, j);
  return i === j ? add(u, rowOf(layer, layer.trace.residPre, i)) : u;
}

function rowOf({ channels: C }: MethodLayer, x: Float64Array, t: number): Float64Array {
  return x.subarray(t * C, (t + 1) * C);
}

/** sum_h A |f|. */
export function valueNorm(layer: MethodLayer): Float64Array {
  const { heads: H, tokens, channels: C, f } = layer;
  const norms = Array.from(
    { length: tokens * H },
    (_, row) => norm2(f.subarray(row * C, (row + 1) * C)),
  );
  return triangle(tokens, (i, j) => {
    let sum = 0;
    for (let h = 0; h < H; h++) sum += weightOf(layer, h, i, j) * norms[j * H + h]!;
    return sum;
  });
}

/** |sum_h A f| (Kobayashi et al. 2020). */
export function attentionNorm(layer: MethodLayer): Float64Array {
  return triangle(layer.tokens, (i, j) => norm2(moved(layer, i, j)));
}

/** |sum_h A f + [i = j] x_i| (Kobayashi et al. 2021, without the layer norm). */
export function attentionResidual(layer: MethodLayer): Float64Array {
  return triangle(layer.tokens, (i, j) => norm2(movedAndKept(layer, i, j)));
}

/** max(0, proximity of that to the residual stream after attention) (Ferrando et al. 2022). */
export function alti(layer: MethodLayer): Float64Array {
  return triangle(
    layer.tokens,
    (i, j) =>
      Math.max(0, proximity(movedAndKept(layer, i, j), rowOf(layer, layer.trace.residMid, i))),
  );
}

/** The least that a part counts for. */
const FLOOR = 1e-5;

/** Information flow routes of one layer (Ferrando & Voita 2024). */
export interface RoutesLayer {
  /** (H, T, T) and (T): every head's and the residual stream's share of a row. */
  readonly heads: Float64Array;
  readonly residual: Float64Array;
  /** (T, T): heads summed, the residual stream on the diagonal. */
  readonly matrix: Float64Array;
  /** (T): the MLP's share of the layer's output, and that of its own residual stream. */
  readonly mlp: Float64Array;
  readonly mlpResidual: Float64Array;
}

/** The parts of the sum behind attention: of every head, (H, T, T), and of the residual stream, (T). */
export function routeParts(
  layer: MethodLayer,
): { readonly heads: Float64Array; readonly residual: Float64Array } {
  const { heads: H, tokens: T, channels: C, f, trace } = layer;
  const heads = new Float64Array(H * T * T);
  const residual = new Float64Array(T);
  for (let i = 0; i < T; i++) {
    const mid = rowOf(layer, trace.residMid, i);
    residual[i] = Math.max(proximity(rowOf(layer, trace.residPre, i), mid), FLOOR);
    for (let h = 0; h < H; h++) {
      for (let j = 0; j <= i; j++) {
        const a = weightOf(layer, h, i, j);
        const part = f.subarray((j * H + h) * C, (j * H + h + 1) * C).map((v) => a * v);
        heads[(h * T + i) * T + j] = Math.max(proximity(part, mid), FLOOR);
      }
    }
  }
  return { heads, residual };
}

/** The shares of all parts in the two sums of a layer. */
export function routes(layer: MethodLayer): RoutesLayer {
  const { heads: H, tokens: T, trace } = layer;
  const { heads, residual } = routeParts(layer);
  const mlp = new Float64Array(T);
  for (let i = 0; i < T; i++) {
    const mid = rowOf(layer, trace.residMid, i);
    const post = rowOf(layer, trace.residPost, i);
    let sum = residual[i]!;
    for (let h = 0; h < H; h++) {
      for (let j = 0; j <= i; j++) sum += heads[(h * T + i) * T + j]!;
    }
    residual[i]! /= sum;
    for (let h = 0; h < H; h++) {
      for (let j = 0; j <= i; j++) heads[(h * T + i) * T + j]! /= sum;
    }
    const made = Math.max(proximity(post.map((v, c) => v - mid[c]!), post), FLOOR);
    const kept = Math.max(proximity(mid, post), FLOOR);
    mlp[i] = made / (made + kept);
  }
  return {
    heads,
    residual,
    matrix: triangle(T, (i, j) => {
      let sum = i === j ? residual[i]! : 0;
      for (let h = 0; h < H; h++) sum += heads[(h * T + i) * T + j]!;
      return sum;
    }),
    mlp,
    mlpResidual: mlp.map((share) => 1 - share),
  };
}

/** 1 - cos(output of the block, output with v_j = 0 in all heads) (Mohebbi et al. 2023). */
export function valueZeroing(layer: MethodLayer): Float64Array {
  const { trace, tokens, channels: C } = layer;
  return triangle(tokens, (i, j) => {
    const u = moved(layer, i, j);
    const mid = rowOf(layer, trace.residMid, i).map((v, c) => v - u[c]!);
    const zeroed = layer.mlpBlock(mid);
    const output = rowOf(layer, trace.residPost, i);
    let dot = 0;
    for (let c = 0; c < C; c++) dot += zeroed[c]! * output[c]!;
    return 1 - dot / (norm2(zeroed) * norm2(output));
  });
}

/** Divides rows by their sums. */
export function shares(matrix: Numbers, T: number): Float64Array {
  const sums = new Float64Array(T);
  for (let at = 0; at < T * T; at++) sums[Math.floor(at / T)]! += matrix[at]!;
  return Float64Array.from(matrix, (v, at) => v / sums[Math.floor(at / T)]!);
}

/** The product of the layers' (T, T) matrices after each of them, the newest leftmost. */
export function products(matrices: readonly Numbers[], T: number): Float64Array[] {
  let before: Float64Array | undefined;
  return matrices.map((matrix) => {
    const last = before;
    return before = Float64Array.from({ length: T * T }, (_, at) => {
      const [i, j] = [Math.floor(at / T), at % T];
      if (!last) return matrix[at]!;
      let sum = 0;
      for (let k = 0; k < T; k++) sum += matrix[i * T + k]! * last[k * T + j]!;
      return sum;
    });
  });
}
