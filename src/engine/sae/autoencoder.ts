import { type EncoderWeights, rowNorms } from "../../checkpoints/sae/encoder_weights.ts";
import type { SaeConfig } from "../../requests/sae/sae_config.ts";
import { allocate, largestStorage } from "../gpu/allocate.ts";
import { type EncoderTexture, uploadEncoder } from "./encoder_textures.ts";

/** Some rows of a decoder on the device. */
export interface DecoderRows {
  /** (rows, m) */
  readonly buffer: GPUBuffer;
  /** The first feature, and the one after the last. */
  readonly first: number;
  readonly end: number;
}

/** An autoencoder's weights on the device. */
export interface Autoencoder {
  readonly name: string;
  readonly config: SaeConfig;
  readonly encoder: readonly EncoderTexture[];
  /** (F, 4): bias, threshold, gain, level. */
  readonly decisions: GPUBuffer;
  /** (n): what is subtracted from the activation, before and after its conversion. */
  readonly shift: GPUBuffer;
  readonly inputBias: GPUBuffer;
  readonly decoder: readonly DecoderRows[];
  /** (F), on the host: the norm of each row. */
  readonly decoderNorms: Float32Array;
  /** (F), on the host: what they were divided by, where features compete by their norms. */
  readonly storedNorms: Float32Array | undefined;
  /** (m) */
  readonly decoderBias: GPUBuffer;
  readonly bytes: number;
  /** Gives the memory back. */
  destroy(): void;
}

/** Options of an upload. */
export interface AutoencoderOptions {
  readonly name: string;
  /** (n): the part of the activation that the model of its training lacked. */
  readonly shift: Float32Array<ArrayBuffer>;
  /** The most rows of a texture of its encoder; the device's limit by default. */
  readonly mostRows?: number | undefined;
}

/**
 * Puts an autoencoder on the device.
 *
 * @throws {AllocationError} If the device has no room.
 */
export async function uploadAutoencoder(
  device: GPUDevice,
  weights: EncoderWeights,
  { name, shift, mostRows }: AutoencoderOptions,
): Promise<Autoencoder> {
  const { config } = weights;
  const { inputs, outputs, features } = config;
  const made: { destroy(): void }[] = [];
  let bytes = 0;
  const put = async (
    label: string,
    values: Float32Array<ArrayBuffer>,
  ): Promise<GPUBuffer> => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffer = await allocate(device, {
      label: `${label} of ${name}`,
      bytes: values.byteLength,
      usage,
    });
    made.push(buffer);
    bytes += values.byteLength;
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  };
  try {
    const encoder = await uploadEncoder(device, weights.encoder, {
      label: name,
      inputs,
      features,
      mostRows,
    });
    for (const { texture, bytes: size } of encoder) {
      made.push(texture);
      bytes += size;
    }
    const decoder: DecoderRows[] = [];
    const rows = Math.floor(largestStorage(device) / (4 * outputs));
    for (let first = 0; first < features; first += rows) {
      const end = Math.min(first + rows, features);
      const values = weights.decoder.subarray(first * outputs, end * outputs);
      decoder.push({ buffer: await put("decoder", values), first, end });
    }
    return {
      name,
      config,
      encoder,
      decisions: await put("decisions", weights.decisions),
      shift: await put("shift", shift),
      inputBias: await put("input bias", weights.inputBias),
      decoder,
      decoderNorms: rowNorms(weights.decoder, outputs),
      storedNorms: weights.storedNorms,
      decoderBias: await put("decoder bias", weights.decoderBias),
      bytes,
      destroy: () => made.forEach((it) => it.destroy()),
    };
  } catch (error) {
    made.forEach((it) => it.destroy());
    throw error;
  }
}
