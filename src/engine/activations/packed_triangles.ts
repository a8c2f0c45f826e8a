/**
 * Attention patterns are causal: half of each (T, T) matrix is zero. The cache stores rows up to the diagonal only,
 * each padded with zeros to whole vec4s, so rows 4g .. 4g+3 take g + 1 vec4s each. A row begins at the same offset for
 * every T, and kernels read rows as vec4s. The shaders that walk these rows have the same `row_start`.
 */

/** Bytes of a vec4f. */
export const VEC4 = 16;

/** Where row `i` of a packed triangle begins, in vec4s. */
export function rowStart(i: number): number {
  const g = Math.floor(i / 4);
  return (2 * g + i % 4) * (g + 1);
}

/**
 * From one head's packed triangle of `tokens` rows to the next, in vec4s: whole groups of four rows, and a multiple of
 * 256 bytes, so that any triangle may begin a binding.
 */
export function triangleStride(tokens: number): number {
  const length = rowStart(4 * Math.ceil(tokens / 4));
  return Math.ceil(length * VEC4 / 256) * 256 / VEC4;
}

/**
 * Writes packed triangles out as squares.
 *
 * @param packed The triangles, one after the other.
 * @param shape How many there are, T, and the vec4s from one to the next.
 * @returns (count, T, T), row-major, zero above the diagonals.
 */
export function unpackTriangles(
  packed: Float32Array,
  { count, tokens, stride = triangleStride(tokens) }: {
    count: number;
    tokens: number;
    stride?: number;
  },
): Float32Array {
  const squares = new Float32Array(count * tokens * tokens);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < tokens; i++) {
      const start = 4 * (n * stride + rowStart(i));
      squares.set(packed.subarray(start, start + i + 1), (n * tokens + i) * tokens);
    }
  }
  return squares;
}
