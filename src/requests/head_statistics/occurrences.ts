/**
 * Where each token of a prompt stood last: `earlier[i]` is the largest p < i with the same id, or -1. Following it from
 * i on gives all earlier occurrences.
 */
export function earlierOccurrences(ids: readonly number[]): Int32Array<ArrayBuffer> {
  const last = new Map<number, number>();
  return Int32Array.from(ids, (id, i) => {
    const place = last.get(id) ?? -1;
    last.set(id, i);
    return place;
  });
}

/** The number of targets of an induction score's mean. */
export interface InductionTargets {
  /** Targets with an occurrence p of their token, 1 <= p and p + 1 < i (Olsson et al. 2022; BOS is none). */
  readonly ours: number;
  /** Targets whose token occurred before, BOS and the previous token included (HeadVis). */
  readonly headvis: number;
}

/** Counts the targets of a prompt whose token occurred before. */
export function countInductionTargets(ids: readonly number[]): InductionTargets {
  const earlier = earlierOccurrences(ids);
  let [ours, headvis] = [0, 0];
  for (let i = 1; i < ids.length; i++) {
    if (earlier[i]! >= 0) headvis++;
    let p = earlier[i]!;
    if (p === i - 1) p = earlier[p] ?? -1;
    if (p >= 1) ours++;
  }
  return { ours, headvis };
}
