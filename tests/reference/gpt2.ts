/**
 * GPT-2 in float64 and in plain loops, written for being read: the middle link between the reference data and the
 * kernels. Arrays are row-major; T tokens, C channels, H heads, D = C / H, L layers.
 */
import type { Activation } from "../../src/requests/architecture/architecture.ts";
import type { Architecture } from "../../src/requests/architecture/architecture.ts";

type Numbers = ArrayLike<number>;

/** The weights by name, without the prefix `transformer.`. */
export type Weights = ReadonlyMap<string, Numbers>;

/** Layer norm of (T, C). */
export function norm(
  x: Numbers,
  { gain, bias, epsilon }: { gain: Numbers; bias: Numbers; epsilon: number },
): Float64Array {
  const C = gain.length;
  const y = new Float64Array(x.length);
  for (let row = 0; row < x.length; row += C) {
    let mean = 0;
    for (let c = 0; c < C; c++) mean += x[row + c]! / C;
    let variance = 0;
    for (let c = 0; c < C; c++) variance += (x[row + c]! - mean) ** 2 / C;
    const scale = 1 / Math.sqrt(variance + epsilon);
    for (let c = 0; c < C; c++) y[row + c] = (x[row + c]! - mean) * scale * gain[c]! + bias[c]!;
  }
  return y;
}

/** x w + b, (T, K) times (K, N). */
export function linear(x: Numbers, w: Numbers, b: Numbers): Float64Array {
  const N = b.length;
  const K = w.length / N;
  const T = x.length / K;
  const y = new Float64Array(T * N);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) y[t * N + n] = b[n]!;
    for (let k = 0; k < K; k++) {
      for (let n = 0; n < N; n++) y[t * N + n]! += x[t * K + k]! * w[k * N + n]!;
    }
  }
  return y;
}

/** GPT-2's gelu_new, in place of nothing: a new array. */
function geluNew(x: Numbers): Float64Array {
  return Float64Array.from(
    x,
    (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
  );
}

/** GELU itself. erf by its Taylor series where that is short, and by a continued fraction of erfc elsewhere. */
export function gelu(x: Numbers): Float64Array {
  return Float64Array.from(
    x,
    (v) => v >= 0 ? v * (1 - erfc(v / Math.SQRT2) / 2) : v * erfc(-v / Math.SQRT2) / 2,
  );
}

/** The complementary error function of z >= 0 (Abramowitz & Stegun 7.1.5 and 7.1.14). */
function erfc(z: number): number {
  if (z < 2.5) {
    let [term, sum] = [z, z];
    for (let n = 1; Math.abs(term) > 1e-18; n++) {
      term *= -z * z / n;
      sum += term / (2 * n + 1);
    }
    return 1 - 2 / Math.sqrt(Math.PI) * sum;
  }
  let fraction = 0;
  for (let n = 100; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction);
}

/** max(x, 0). */
function relu(x: Numbers): Float64Array {
  return Float64Array.from(x, (v) => Math.max(v, 0));
}

/** SiLU, or swish: x / (1 + exp(-x)). */
function silu(x: Numbers): Float64Array {
  return Float64Array.from(x, (v) => v / (1 + Math.exp(-v)));
}

/** tanh(x). */
function tanh(x: Numbers): Float64Array {
  return Float64Array.from(x, Math.tanh);
}

/** The activations by their names. */
export const ACTIVATIONS: Record<Activation, (x: Numbers) => Float64Array> = {
  gelu_new: geluNew,
  gelu,
  relu,
  silu,
  tanh,
};

/** (H, T, T): softmax over j <= i of q_i . k_j scale, from (T, 3C). */
export function attentionPattern(
  qkv: Numbers,
  { heads: H, channels: C, scale }: { heads: number; channels: number; scale: number },
): Float64Array {
  const T = qkv.length / (3 * C);
  const D = C / H;
  const patterns = new Float64Array(H * T * T);
  for (let h = 0; h < H; h++) {
    for (let i = 0; i < T; i++) {
      const row = patterns.subarray((h * T + i) * T, (h * T + i + 1) * T);
      for (let j = 0; j <= i; j++) {
        let score = 0;
        for (let d = 0; d < D; d++) {
          score += qkv[i * 3 * C + h * D + d]! * qkv[j * 3 * C + C + h * D + d]!;
        }
        row[j] = score * scale;
      }
      const seen = row.subarray(0, i + 1);
      const largest = seen.reduce((a, b) => Math.max(a, b));
      seen.forEach((score, j) => seen[j] = Math.exp(score - largest));
      const sum = seen.reduce((a, b) => a + b);
      seen.forEach((exponent, j) => seen[j] = exponent / sum);
    }
  }
  return patterns;
}

/** (T, C): the values mixed by (H, T, T), heads side by side. */
export function mixValues(
  patterns: Numbers,
  qkv: Numbers,
  { heads: H, channels: C }: { heads: number; channels: number },
): Float64Array {
  const T = qkv.length / (3 * C);
  const D = C / H;
  const z = new Float64Array(T * C);
  for (let c = 0; c < C; c++) {
    const h = Math.floor(c / D);
    for (let i = 0; i < T; i++) {
      for (let j = 0; j <= i; j++) {
        z[i * C + c]! += patterns[(h * T + i) * T + j]! * qkv[j * 3 * C + 2 * C + c]!;
      }
    }
  }
  return z;
}

/** x + y. */
export function add(x: Numbers, y: Numbers): Float64Array {
  return Float64Array.from(x, (v, i) => v + y[i]!);
}

/** What a layer makes of the residual stream, step by step. */
export interface LayerTrace {
  readonly residPre: Float64Array;
  readonly qkv: Float64Array;
  readonly patterns: Float64Array;
  readonly z: Float64Array;
  readonly residMid: Float64Array;
  readonly hidden: Float64Array;
  readonly residPost: Float64Array;
}

/** A head. */
export interface Head {
  readonly layer: number;
  readonly head: number;
}

/** Runs a prompt through all layers; heads that are ablated mix nothing. */
export function forward(
  architecture: Architecture,
  weights: Weights,
  ids: readonly number[],
  ablate: readonly Head[] = [],
): LayerTrace[] {
  const { channels: C, headSize: D, layers, epsilon, scales, activation } = architecture;
  const wte = weights.get("wte.weight")!;
  const wpe = weights.get("wpe.weight")!;
  let x: Float64Array = Float64Array.from(
    { length: ids.length * C },
    (_, i) => wte[ids[Math.floor(i / C)]! * C + i % C]! + wpe[i]!,
  );
  return Array.from({ length: layers }, (_, layer) => {
    const of = (name: string): Numbers => weights.get(`h.${layer}.${name}`)!;
    const normed = (name: string, input: Numbers): Float64Array =>
      norm(input, { gain: of(`${name}.weight`), bias: of(`${name}.bias`), epsilon });
    const apply = (name: string, input: Numbers): Float64Array =>
      linear(input, of(`${name}.weight`), of(`${name}.bias`));

    const residPre = x;
    const qkv = apply("attn.c_attn", normed("ln_1", residPre));
    const patterns = attentionPattern(qkv, { ...architecture, scale: scales[layer]! });
    const z = mixValues(patterns, qkv, architecture);
    for (const { head } of ablate.filter((it) => it.layer === layer)) {
      for (let at = head * D; at < z.length; at += C) z.fill(0, at, at + D);
    }
    const residMid = add(residPre, apply("attn.c_proj", z));
    const hidden = ACTIVATIONS[activation](apply("mlp.c_fc", normed("ln_2", residMid)));
    const residPost = x = add(residMid, apply("mlp.c_proj", hidden));
    return { residPre, qkv, patterns, z, residMid, hidden, residPost };
  });
}
