/** Three lists of cells of a pattern: target and source of one, then of the next. */
export type CellLists = readonly [Uint32Array, Uint32Array, Uint32Array];

/**
 * The cells of a pattern whose weights make the scores of heads: the token before, BOS, and for targets whose token came
 * before (BOS aside), what followed each time (Olsson et al. 2022). A prompt of one token over and over has about half
 * as many of the last as its pattern has cells.
 *
 * @param hasBos Whether the first token is BOS.
 */
export function scoreCells(ids: readonly number[], hasBos = true): CellLists {
  const targets = Array.from({ length: ids.length - 1 }, (_, at) => at + 1);
  const before = new Map<number, number[]>(hasBos ? [] : [[ids[0]!, [0]]]);
  const induction: number[] = [];
  for (const target of targets) {
    const places = before.get(ids[target]!) ?? [];
    for (const place of places) if (place + 1 < target) induction.push(target, place + 1);
    places.push(target);
    before.set(ids[target]!, places);
  }
  return [
    Uint32Array.from(targets.flatMap((target) => [target, target - 1])),
    Uint32Array.from(targets.flatMap((target) => [target, 0])),
    Uint32Array.from(induction),
  ];
}

/**
 * Over how many targets each of {@linkcode scoreCells} is a mean.
 *
 * @param hasBos Whether the first token is BOS.
 */
export function scoreTargets(
  ids: readonly number[],
  hasBos = true,
): readonly [previous: number, bos: number, induction: number] {
  const first = new Map<number, number>();
  let induction = 0;
  ids.forEach((id, target) => {
    if (target === 0 && hasBos) return;
    const place = first.get(id);
    if (place === undefined) first.set(id, target);
    else if (place + 1 < target) induction++;
  });
  return [ids.length - 1, ids.length - 1, induction];
}
