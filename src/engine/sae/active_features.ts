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
  const order = Uint32Array.from({ length: listed.length / LISTED }, (_, at) => at)
    .filter((at) => listed[LISTED * at]! < tokens)
    .sort((a, b) =>
      listed[LISTED * a]! - listed[LISTED * b]! ||
      values[LISTED * b + 2]! - values[LISTED * a + 2]! ||
      listed[LISTED * a + 1]! - listed[LISTED * b + 1]!
    );
  return {
    positions: Int32Array.from(order, (at) => listed[LISTED * at]!),
    features: Int32Array.from(order, (at) => listed[LISTED * at + 1]!),
    activations: Float32Array.from(order, (at) => values[LISTED * at + 2]!),
  };
}
