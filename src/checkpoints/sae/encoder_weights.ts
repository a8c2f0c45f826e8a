import type { SaeConfig } from "../../requests/sae/sae_config.ts";
import type { SaeCheckpoint } from "./open_sae.ts";

/**
 * An autoencoder's weights in one form for all architectures. With u = in(x) - inputBias and s = u encoder, feature f is
 * on where s + bias > threshold; it then has max(s gain + level, 0). The reconstruction is out(activations decoder +
 * decoderBias).
 */
export interface EncoderWeights {
  readonly config: SaeConfig;
  /** (n, F) */
  readonly encoder: Float32Array<ArrayBuffer>;
  /** (F, 4): bias, threshold, gain, level. */
  readonly decisions: Float32Array<ArrayBuffer>;
  /** (n): b_dec where it is taken off the input, else zeros. */
  readonly inputBias: Float32Array<ArrayBuffer>;
  /** (F, m) */
  readonly decoder: Float32Array<ArrayBuffer>;
  /** (m) */
  readonly decoderBias: Float32Array<ArrayBuffer>;
  /** (F): what decoder rows were divided by, where features compete by their norms. */
  readonly storedNorms?: Float32Array<ArrayBuffer> | undefined;
}

/**
 * Reads an autoencoder and folds what can be folded: the factor of `expected_average_only_in` into encoder, decoder and
 * b_dec, as SAELens does; the norms of decoder rows by which rescaled topk chooses into the encoder, and out of the
 * decoder.
 */
export async function readEncoderWeights(sae: SaeCheckpoint): Promise<EncoderWeights> {
  const { config } = sae;
  const { architecture, inputs, outputs, features, factor } = config;
  const encoder = await sae.read("W_enc");
  const decoder = await sae.read("W_dec");
  const decoderBias = await sae.read("b_dec");
  if (factor !== 1) {
    for (let i = 0; i < encoder.length; i++) encoder[i]! *= factor;
    for (let i = 0; i < decoder.length; i++) decoder[i]! /= factor;
    for (let i = 0; i < decoderBias.length; i++) decoderBias[i]! /= factor;
  }
  const decisions = new Float32Array(4 * features);
  let storedNorms: Float32Array<ArrayBuffer> | undefined;
  if (architecture === "gated") {
    const gate = await sae.read("b_gate");
    const gain = (await sae.read("r_mag")).map(Math.exp);
    const level = await sae.read("b_mag");
    for (let f = 0; f < features; f++) {
      decisions.set([gate[f]!, 0, gain[f]!, level[f]!], 4 * f);
    }
  } else {
    const bias = await sae.read("b_enc");
    const thresholds = architecture === "jumprelu" ? await sae.read("threshold") : undefined;
    if (config.rescalesByDecoderNorm) {
      const norms = storedNorms = rowNorms(decoder, outputs);
      for (let i = 0; i < encoder.length; i++) encoder[i]! *= norms[i % features]!;
      for (let f = 0; f < features; f++) bias[f]! *= norms[f]!;
      for (let i = 0; i < decoder.length; i++) decoder[i]! /= norms[Math.floor(i / outputs)]! || 1;
    }
    for (let f = 0; f < features; f++) {
      decisions.set([bias[f]!, thresholds?.[f] ?? 0, 1, bias[f]!], 4 * f);
    }
  }
  const inputBias = config.subtractsDecoderBias ? decoderBias.slice() : new Float32Array(inputs);
  return { config, encoder, decisions, inputBias, decoder, decoderBias, storedNorms };
}

/** The norm of each row of a matrix. */
export function rowNorms(matrix: Float32Array, width: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: matrix.length / width }, (_, row) => {
    let sum = 0;
    for (let c = row * width; c < (row + 1) * width; c++) sum += matrix[c]! ** 2;
    return Math.sqrt(sum);
  });
}
