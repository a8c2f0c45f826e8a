/** The active features of an autoencoder in a prompt, on the device. */
export interface KeptFeatures {
  /** (capacity, 3): position, feature, activation; in no order. */
  buffer: GPUBuffer;
  /** (T, 4): scale, back, mean of each position, as `shaders/sae_input.wgsl` has them. */
  scales: GPUBuffer;
  /** The number of encoded positions, from the first. */
  rows: number;
  /** How many activations there are. */
  count: number;
}

/** Bytes on the device. */
export function keptFeatureBytes({ buffer, scales }: KeptFeatures): number {
  return buffer.size + scales.size;
}
