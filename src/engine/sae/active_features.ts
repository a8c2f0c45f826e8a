/** Numbers of an activation: position, feature and activation. */
export const LISTED = 3;

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
  const values = new Float32Array(listed.buffer, listed.byteOffset, listed.length);
  const starts = new Uint32Array(tokens + 1);
  for (let at = 0; at < listed.length; at += LISTED) {
    if (listed[at]! < tokens) starts[listed[at]! + 1]!++;
  }
  for (let position = 0; position < tokens; position++) starts[position + 1]! += starts[position]!;
  const order = new Uint32Array(starts[tokens]!);
  const next = starts.slice();
  for (let at = 0; at < listed.length; at += LISTED) {
    if (listed[at]! < tokens) order[next[listed[at]!]!++] = at;
  }
  for (let position = 0; position < tokens; position++) {
    order.subarray(starts[position]!, starts[position + 1]!).sort((a, b) =>
      values[b + 2]! - values[a + 2]! || listed[a + 1]! - listed[b + 1]!
    );
  }
  const positions = new Int32Array(order.length);
  const features = new Int32Array(order.length);
  const activations = new Float32Array(order.length);
  order.forEach((at, n) => {
    positions[n] = listed[at]!;
    features[n] = listed[at + 1]!;
    activations[n] = values[at + 2]!;
  });
  return { positions, features, activations };
}
