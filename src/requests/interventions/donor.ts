import { checkIndices } from "./indices.ts";
import type { Intervention, InterventionInput } from "./intervention.ts";
import { refusal } from "./refuse.ts";
import { isSquare } from "./sites.ts";

/**
 * The donor of a REPLACE.
 *
 * @param which The intervention's place in its list.
 * @param ids The prompt that is changed.
 * @param positions Those that are named, as asked for, counted from 0; undefined where none is.
 * @returns The intervention's part of it, and `positions` in ascending order.
 * @throws {InfoflowError} BAD_USER_INPUT if there is no donor, or it has another number of tokens and no
 *   `fromPositions`; or if those can't be.
 */
export function donorOf(
  which: number,
  { site, fromIds, fromPositions }: InterventionInput,
  { ids, positions }: { ids: readonly number[]; positions: readonly number[] | undefined },
): Pick<Intervention, "from" | "fromPositions" | "positions"> {
  if (!fromIds || fromIds.length === 0) {
    throw refusal(which, "REPLACE needs the prompt that values come from: give from or fromIds");
  }
  if (fromPositions && isSquare(site)) {
    throw refusal(which, `${site} has sources too, which fromPositions does not map: leave it out`);
  }
  if (!fromPositions) {
    if (fromIds.length !== ids.length) throw otherLength(which, fromIds, ids);
    return { from: fromIds };
  }
  const sources = checkIndices(which, fromPositions, {
    name: "fromPositions",
    count: fromIds.length,
    fromEnd: true,
  });
  const targets = positions ?? ids.map((_, position) => position);
  if (sources.length !== targets.length) {
    const rule = `fromPositions must name one position for each of ${targets.length}`;
    throw refusal(which, `${rule}: current number is ${sources.length}`, {
      expected: targets.length,
      actual: sources.length,
    });
  }
  const twice = targets.find((position, at) => targets.indexOf(position) !== at);
  if (twice !== undefined) throw refusal(which, `position ${twice} is named twice`);
  const pairs = targets.map((target, at) => [target, sources[at]!] as const)
    .sort(([a], [b]) => a - b);
  return {
    positions: pairs.map(([target]) => target),
    from: fromIds,
    ...(pairs.some(([target, source]) => target !== source) &&
      { fromPositions: pairs.map(([, source]) => source) }),
  };
}

/** The first position where two prompts differ; the length of the shorter one where it begins the other. */
export function firstDifference(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let at = 0;
  while (at < most && a[at] === b[at]) at++;
  return at;
}

function otherLength(which: number, from: readonly number[], ids: readonly number[]): Error {
  const at = firstDifference(from, ids);
  const lengths = `the prompt has ${ids.length} tokens and the one that values come from ` +
    `${from.length}, and they first differ at position ${at}`;
  return refusal(which, `${lengths}: make them equally long, or give fromPositions`, {
    tokens: ids.length,
    fromTokens: from.length,
    firstDifference: at,
  });
}
