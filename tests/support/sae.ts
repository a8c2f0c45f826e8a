import type { EncoderWeights } from "../../src/checkpoints/sae/encoder_weights.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { uploadAutoencoder } from "../../src/engine/sae/autoencoder.ts";
import { allocateFeatures, FeatureEncoder } from "../../src/engine/sae/feature_encoder.ts";
import { type ActiveFeatures, sortFeatures } from "../../src/engine/sae/active_features.ts";
import { Activations, download, run } from "./gpu.ts";

/** What {@linkcode encodeOnDevice} encodes. */
export interface EncodedInTest {
  /** (T, n): the model's activations. */
  readonly x: ArrayLike<number>;
  /** What the values' bias adds to them. */
  readonly shift?: ArrayLike<number>;
  /** How many positions each pass encodes, one pass after the other; all at once by default. */
  readonly steps?: readonly number[];
  /** How many activations there is room for. */
  readonly room?: number;
  readonly epsilon?: number;
  /** The most rows of a texture of the encoder. */
  readonly mostRows?: number;
}

/** Encodes activations on the device. */
export async function encodeOnDevice(
  gpu: Gpu,
  weights: EncoderWeights,
  { x, shift, steps, room, epsilon = 1e-5, mostRows }: EncodedInTest,
): Promise<ActiveFeatures & { readonly count: number }> {
  const { device } = gpu;
  const { inputs, features } = weights.config;
  const T = x.length / inputs;
  const sae = await uploadAutoencoder(device, weights, {
    name: "test",
    mostRows,
    shift: shift ? Float32Array.from(shift) : new Float32Array(inputs),
  });
  const encoder = await FeatureEncoder.create(device, sae, epsilon);
  const kept = await allocateFeatures(device, {
    activations: room ?? T * features,
    positions: T,
  });
  const activations = await Activations.create(gpu, { rows: T, columns: inputs }, x);
  let first = 0;
  for (const rows of steps ?? [T]) {
    await encoder.reserve(rows);
    await run(gpu, (pass) => encoder.encode(pass, { x: activations.view, first, rows }, kept));
    first += rows;
    kept.count = new Uint32Array((await download(gpu, encoder.found)).buffer)[0]!;
  }
  const listed = new Uint32Array((await download(gpu, kept.buffer)).buffer);
  const { count } = kept;
  encoder.destroy();
  sae.destroy();
  return { ...sortFeatures(listed.slice(0, 3 * Math.min(count, listed.length / 3)), T), count };
}

/** (T, F): the same with zeros. */
export function denseFeatures(
  { positions, features, activations }: ActiveFeatures,
  { tokens, width }: { readonly tokens: number; readonly width: number },
): Float32Array {
  const dense = new Float32Array(tokens * width);
  positions.forEach((position, n) => dense[position * width + features[n]!] = activations[n]!);
  return dense;
}
