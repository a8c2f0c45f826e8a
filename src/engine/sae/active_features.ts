/** Numbers of an activation: position, feature and activation. */
export const LISTED = 3;

/**
 * An activation and its feature are sorted as one number. The bits of positive floats are ordered as they are, and with
 * so many features the number is a whole one that float64 has.
 */
const MOST_BITS = 2 ** 32 - 1;
/** An autoencoder may have 2^20 features (`LARGEST` of `parse_sae_config.ts`). */
const MOST_FEATURES = 2 ** 20;

/** Activations above 0, by position, then larger first, then lower feature. */
export interface ActiveFeatures {
  readonly positions: Int32Array<ArrayBuffer>;
  readonly features: Int32Array<ArrayBuffer>;
  readonly activations: Float32Array<ArrayBuffer>;
}

/**
 * Sorts the activations that a kernel listed.
 *
 * @param listed (count, 3), as the device wrote it.
 * @param tokens Positions from here on are left out: they are of a longer prompt.
 */
export function sortFeatures(listed: Uint32Array<ArrayBuffer>, tokens: number): ActiveFeatures {
  const starts = new Uint32Array(tokens + 1);
  for (let at = 0; at < listed.length; at += LISTED) {
    if (listed[at]! < tokens) starts[listed[at]! + 1]!++;
  }
  for (let position = 0; position < tokens; position++) starts[position + 1]! += starts[position]!;
  const count = starts[tokens]!;
  const keys = new Float64Array(count);
  const next = starts.slice();
  for (let at = 0; at < listed.length; at += LISTED) {
    if (listed[at]! >= tokens) continue;
    keys[next[listed[at]!]!++] = (MOST_BITS - listed[at + 2]!) * MOST_FEATURES + listed[at + 1]!;
  }
  const positions = new Int32Array(count);
  const features = new Int32Array(count);
  const bits = new Uint32Array(count);
  for (let position = 0; position < tokens; position++) {
    const [start, end] = [starts[position]!, starts[position + 1]!];
    positions.fill(position, start, end);
    keys.subarray(start, end).sort();
  }
  keys.forEach((key, n) => {
    features[n] = key % MOST_FEATURES;
    bits[n] = MOST_BITS - Math.floor(key / MOST_FEATURES);
  });
  return { positions, features, activations: new Float32Array(bits.buffer) };
}
