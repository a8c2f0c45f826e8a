/**
 * Sparse autoencoders in float64 and in plain loops: the middle link between the reference data and the kernels. From the
 * files as they are, with nothing folded. Arrays are row-major; T tokens, n inputs, F features.
 */
import type { SaeCheckpoint } from "../../src/checkpoints/sae/open_sae.ts";
import type { SaeTensor } from "../../src/checkpoints/sae/sae_tensors.ts";
import { saeTensors } from "../../src/checkpoints/sae/sae_tensors.ts";
import type { SaeConfig } from "../../src/requests/sae/sae_config.ts";
import type { Architecture } from "../../src/requests/architecture/architecture.ts";
import { forward, type LayerTrace, linear, norm, type Weights } from "./gpt2.ts";
import { logits, logProbabilities } from "./predictions.ts";

type Numbers = ArrayLike<number>;

/** An autoencoder's tensors by their names. */
export type SaeWeights = Readonly<Partial<Record<SaeTensor, Numbers>>>;

/** A model on a prompt. */
export interface Run {
  readonly architecture: Architecture;
  readonly weights: Weights;
  readonly ids: readonly number[];
  readonly traces: readonly LayerTrace[];
}

/** Runs a model on a prompt. */
export function run(architecture: Architecture, weights: Weights, ids: readonly number[]): Run {
  return { architecture, weights, ids, traces: forward(architecture, weights, ids) };
}

/** Reads all tensors of an autoencoder. */
export async function readSaeWeights(sae: SaeCheckpoint): Promise<SaeWeights> {
  const names = Object.keys(saeTensors(sae.config)) as SaeTensor[];
  const entries = await Promise.all(names.map(async (name) => [name, await sae.read(name)]));
  return Object.fromEntries(entries);
}

/** (T, n): the stored model's activation at an autoencoder's hook. */
export function hookOf(config: SaeConfig, { architecture, weights, traces }: Run): Float64Array {
  const { residPre, residMid, residPost, z } = traces[config.layer]!;
  const minus = (a: Float64Array, b: Float64Array): Float64Array => a.map((v, i) => v - b[i]!);
  switch (config.site) {
    case "RESID_PRE":
      return residPre;
    case "RESID_MID":
      return residMid;
    case "RESID_POST":
      return residPost;
    case "ATTN_OUT":
      return minus(residMid, residPre);
    case "MLP_OUT":
      return minus(residPost, residMid);
    case "Z":
      return z;
    case "LN2_NORMALIZED": {
      const of = (name: string): Numbers => weights.get(`h.${config.layer}.ln_2.${name}`)!;
      const { epsilon } = architecture;
      return norm(residMid, { gain: of("weight"), bias: of("bias"), epsilon });
    }
  }
}

/** (n): what is taken off the activation because the model's values had no bias. */
export function shiftOf(config: SaeConfig, { architecture, weights }: Run): Float64Array {
  const { channels: C } = architecture;
  const shift = new Float64Array(config.inputs);
  if (config.site !== "Z" || !config.conversion.isValueBiasFolded) return shift;
  const of = (name: string): Numbers => weights.get(`h.${config.layer}.${name}`)!;
  const w = of("attn.c_attn.weight");
  for (let c = 0; c < C; c++) {
    shift[c] = of("attn.c_attn.bias")[2 * C + c]!;
    if (!config.conversion.isNormFolded) continue;
    for (let k = 0; k < C; k++) shift[c]! += of("ln_1.bias")[k]! * w[k * 3 * C + 2 * C + c]!;
  }
  return shift;
}

/** (T, n): the same as the autoencoder was trained to see it. */
export function inputOf(config: SaeConfig, model: Run): Float64Array {
  const { inputs: n, conversion, site, layer } = config;
  if (site === "LN2_NORMALIZED") {
    const ones = new Float64Array(n).fill(1);
    const { epsilon } = model.architecture;
    const { residMid } = model.traces[layer]!;
    return norm(residMid, { gain: ones, bias: new Float64Array(n), epsilon });
  }
  const x = hookOf(config, model);
  if (site === "Z") {
    const shift = shiftOf(config, model);
    return x.map((v, i) => v - shift[i % n]!);
  }
  return conversion.isCentred ? centred(x, n) : x;
}

/** (T): the scale and the mean that normalisation takes out of each position, and what it puts back in. */
function scalesOf({ normalization, inputs: n, factor }: SaeConfig, x: Float64Array): {
  scale: number;
  mean: number;
  back: number;
}[] {
  return Array.from({ length: x.length / n }, (_, t) => {
    const row = x.subarray(t * n, (t + 1) * n);
    if (normalization === "layer_norm") {
      const mean = row.reduce((a, b) => a + b) / n;
      const sd = Math.sqrt(row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (n - 1));
      return { scale: 1 / (sd + 1e-5), mean, back: sd };
    }
    if (normalization === "constant_norm_rescale") {
      const size = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
      return { scale: Math.sqrt(n) / size, mean: 0, back: size / Math.sqrt(n) };
    }
    return { scale: factor, mean: 0, back: 1 / factor };
  });
}

/** What an autoencoder makes of activations. */
export interface Encoded {
  /** (T, F): what the decision is taken on. */
  readonly pre: Float64Array;
  /** (T, F) */
  readonly acts: Float64Array;
  /** (T, m) */
  readonly recon: Float64Array;
}

/** Encodes and decodes (T, n). */
export function encode(config: SaeConfig, weights: SaeWeights, x: Float64Array): Encoded {
  const { inputs: n, outputs: m, features: F, architecture, k } = config;
  const scales = scalesOf(config, x);
  const b_dec = weights.b_dec!;
  const u = x.map((v, i) => {
    const { scale, mean } = scales[Math.floor(i / n)]!;
    return (v - mean) * scale - (config.subtractsDecoderBias ? b_dec[i % n]! : 0);
  });
  const zeros = new Float64Array(F);
  const norms = decoderNorms(config, weights);
  const s = linear(u, weights.W_enc!, zeros);
  const bias = architecture === "gated" ? weights.b_gate! : weights.b_enc!;
  const pre = s.map((v, i) =>
    (v + bias[i % F]!) * (config.rescalesByDecoderNorm ? norms[i % F]! : 1)
  );
  let acts: Float64Array = pre.map((p, i) => {
    const f = i % F;
    if (architecture === "gated") {
      return p > 0 ? Math.max(s[i]! * Math.exp(weights.r_mag![f]!) + weights.b_mag![f]!, 0) : 0;
    }
    return p > (weights.threshold?.[f] ?? 0) ? Math.max(p, 0) : 0;
  });
  if (architecture === "topk") acts = topk(pre, F, k!);
  const scaled = config.rescalesByDecoderNorm ? acts.map((a, i) => a / norms[i % F]!) : acts;
  const recon = linear(scaled, weights.W_dec!, b_dec).map((v, i) => {
    const { mean, back } = scales[Math.floor(i / m)] ?? { mean: 0, back: 1 };
    return v * back + mean;
  });
  return { pre, acts, recon };
}

/** (F) */
function decoderNorms(
  { outputs: m, features: F }: SaeConfig,
  weights: SaeWeights,
): Float64Array {
  return Float64Array.from({ length: F }, (_, f) => {
    let sum = 0;
    for (let c = 0; c < m; c++) sum += weights.W_dec![f * m + c]! ** 2;
    return Math.sqrt(sum);
  });
}

/** What a feature's own part of the stream takes off the next token's loss at a position, in nats. */
export function lossEffect(
  config: SaeConfig,
  weights: SaeWeights,
  model: Run,
  { feature, position, activation }: {
    readonly feature: number;
    readonly position: number;
    readonly activation: number;
  },
): number {
  const { architecture, ids, traces } = model;
  const { channels: C } = architecture;
  const { outputs: m, site, layer } = config;
  const { back } = scalesOf(config, inputOf(config, model))[position]!;
  const norm = config.rescalesByDecoderNorm ? decoderNorms(config, weights)[feature]! : 1;
  const d = Float64Array.from(
    { length: m },
    (_, c) => weights.W_dec![feature * m + c]! / norm * activation * back,
  );
  const W_O = model.weights.get(`h.${layer}.attn.c_proj.weight`)!;
  const written = site === "Z" ? linear(d, W_O, new Float64Array(C)) : d;
  const end = traces.at(-1)!.residPost.subarray(position * C, (position + 1) * C);
  const loss = (row: Float64Array): number =>
    -logProbabilities(logits(architecture, model.weights, row))[ids[position + 1]!]!;
  return loss(end.map((v, c) => v - written[c]!)) - loss(end);
}

function topk(pre: Float64Array, F: number, k: number): Float64Array {
  const acts = new Float64Array(pre.length);
  for (let start = 0; start < pre.length; start += F) {
    const order = Array.from({ length: F }, (_, f) => f)
      .sort((a, b) => pre[start + b]! - pre[start + a]! || a - b);
    for (const f of order.slice(0, k)) acts[start + f] = Math.max(pre[start + f]!, 0);
  }
  return acts;
}

/** Where a feature's pre-activation came from. */
export interface Sources {
  /** (L', T, T) by layer, or (H, T, T) by head for Z: target, source. */
  readonly attention: Float64Array;
  /** (L', T); empty for Z. */
  readonly attentionBias: Float64Array;
  /** (L', T); empty but for the residual stream. */
  readonly mlp: Float64Array;
  /** (T); empty but for the residual stream. */
  readonly embedding: Float64Array;
  readonly position: Float64Array;
  readonly bias: number;
}

/** Takes a feature's pre-activations apart; norms are frozen. */
export function sourcesOf(config: SaeConfig, weights: SaeWeights, model: Run, f: number): Sources {
  const { inputs: n, features: F, site, layer } = config;
  const { architecture: { channels: C, heads: H, headSize: D }, ids, traces } = model;
  const T = ids.length;
  const scales = scalesOf(config, inputOf(config, model));
  const norm = config.rescalesByDecoderNorm ? decoderNorms(config, weights)[f]! : 1;
  let w: Float64Array = Float64Array.from(
    { length: n },
    (_, c) => weights.W_enc![c * F + f]! * norm,
  );
  let bias = (config.architecture === "gated" ? weights.b_gate! : weights.b_enc!)[f]! * norm;
  if (config.subtractsDecoderBias) w.forEach((v, c) => bias -= v * weights.b_dec![c]!);
  if (site !== "Z" && (config.conversion.isCentred || config.normalization === "layer_norm")) {
    w = centred(w, n);
  }
  const dot = (x: Numbers, at: number, v: Numbers): number => {
    let sum = 0;
    for (let c = 0; c < v.length; c++) sum += x[at + c]! * v[c]!;
    return sum;
  };
  if (site === "Z") {
    const shift = shiftOf(config, model);
    const { patterns, qkv } = traces[layer]!;
    const attention = new Float64Array(H * T * T);
    for (let h = 0; h < H; h++) {
      for (let j = 0; j < T; j++) {
        let value = 0;
        for (let c = h * D; c < (h + 1) * D; c++) {
          value += (qkv[j * 3 * C + 2 * C + c]! - shift[c]!) * w[c]!;
        }
        for (let i = j; i < T; i++) {
          const at = (h * T + i) * T + j;
          attention[at] = patterns[at]! * value * scales[i]!.scale;
        }
      }
    }
    const none = new Float64Array();
    return { attention, attentionBias: none, mlp: none, embedding: none, position: none, bias };
  }
  const isStream = site.startsWith("RESID");
  const end = site === "RESID_PRE" ? layer : layer + 1;
  const layers = Array.from({ length: end }, (_, l) => l).slice(isStream ? 0 : layer);
  const attention = new Float64Array(layers.length * T * T);
  const attentionBias = new Float64Array(layers.length * T);
  const mlp = new Float64Array(isStream ? layers.length * T : 0);
  layers.forEach((l, index) => {
    const { patterns, qkv, residMid, residPost } = traces[l]!;
    const W_O = model.weights.get(`h.${l}.attn.c_proj.weight`)!;
    const b_O = model.weights.get(`h.${l}.attn.c_proj.bias`)!;
    const along = Float64Array.from({ length: C }, (_, c) => dot(W_O, c * C, w));
    for (let i = 0; i < T; i++) {
      const { scale } = scales[i]!;
      attentionBias[index * T + i] = dot(b_O, 0, w) * scale;
      if (isStream && !(site === "RESID_MID" && l === layer)) {
        mlp[index * T + i] = (dot(residPost, i * C, w) - dot(residMid, i * C, w)) * scale;
      }
      for (let j = 0; j <= i; j++) {
        for (let h = 0; h < H; h++) {
          let value = 0;
          for (let c = h * D; c < (h + 1) * D; c++) {
            value += qkv[j * 3 * C + 2 * C + c]! * along[c]!;
          }
          attention[(index * T + i) * T + j]! += patterns[(h * T + i) * T + j]! * value * scale;
        }
      }
    }
  });
  const table = (name: string, row: (t: number) => number): Float64Array =>
    Float64Array.from(
      { length: isStream ? T : 0 },
      (_, t) => dot(model.weights.get(name)!, row(t) * C, w) * scales[t]!.scale,
    );
  return {
    attention,
    attentionBias,
    mlp,
    embedding: table("wte.weight", (t) => ids[t]!),
    position: table("wpe.weight", (t) => t),
    bias,
  };
}

function centred(x: Float64Array, width: number): Float64Array {
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    const row = x.subarray(start, start + width);
    const mean = row.reduce((a, b) => a + b) / width;
    row.forEach((v, c) => y[start + c] = v - mean);
  }
  return y;
}
