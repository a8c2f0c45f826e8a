import { rowStart } from "../../src/engine/activations/packed_triangles.ts";

/** Packs (count, T, T) as the cache has it; the padding is 0. */
export function packTriangles(
  squares: ArrayLike<number>,
  { count, tokens, stride }: { count: number; tokens: number; stride: number },
): Float32Array<ArrayBuffer> {
  const packed = new Float32Array(count * stride * 4);
  for (let row = 0; row < count * tokens; row++) {
    const [n, i] = [Math.floor(row / tokens), row % tokens];
    const start = 4 * (n * stride + rowStart(i));
    for (let j = 0; j <= i; j++) packed[start + j] = squares[row * tokens + j]!;
  }
  return packed;
}
