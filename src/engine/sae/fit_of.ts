/** The quality of a reconstruction. */
export interface Fitted {
  /** (T, width): the reconstruction, and its error. */
  readonly recon: Float32Array;
  readonly error: Float32Array;
  /** The position of each active feature. */
  readonly positions: Int32Array;
  readonly width: number;
  /** The first position that counts. */
  readonly first: number;
}

/**
 * The explained variance of a reconstruction, 1 - E|e|^2 / (E|x|^2 - |E x|^2), and the mean number of active features.
 * Both are NaN if no position counts.
 */
export function fitOf(
  { recon, error, positions, width, first }: Fitted,
): { readonly l0: number; readonly explainedVariance: number } {
  const rows = recon.length / width - first;
  const mean = new Float64Array(width);
  let [left, squares] = [0, 0];
  for (let at = first * width; at < recon.length; at++) {
    const x = recon[at]! + error[at]!;
    left += error[at]! ** 2 / rows;
    squares += x ** 2 / rows;
    mean[at % width]! += x / rows;
  }
  const ofMean = mean.reduce((sum, v) => sum + v * v, 0);
  const on = positions.reduce((count, position) => count + Number(position >= first), 0);
  return { l0: on / rows, explainedVariance: 1 - left / (squares - ofMean) };
}
