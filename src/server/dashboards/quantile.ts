/**
 * The share of a feature's activations that are smaller than a given one. Within a bar of the histogram activations are
 * assumed to be spread evenly, so the error is at most the bar's share.
 *
 * @param feature Its largest activation, and how many are in each of equal parts of (0, max].
 */
export function quantileOf(
  activation: number,
  { histogram, max }: { readonly histogram: ArrayLike<number>; readonly max: number },
): number {
  const counts = Array.from(histogram);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0 || activation <= 0) return 0;
  const bar = Math.min(counts.length, activation / max * counts.length);
  const below = counts.reduce(
    (sum, count, at) => sum + count * Math.max(0, Math.min(1, bar - at)),
    0,
  );
  return below / total;
}
