/** A cell of a head's pattern: how much a target takes from a source, in a prompt of the corpus. */
export interface Example {
  /** The row of the corpus. */
  readonly prompt: number;
  /** Positions; 0 is BOS. */
  readonly target: number;
  readonly source: number;
  readonly weight: number;
}

/** Orders examples: the larger weight first; of equal ones the lower prompt, then target, then source. */
function compareExamples(a: Example, b: Example): number {
  return b.weight - a.weight || a.prompt - b.prompt || a.target - b.target || a.source - b.source;
}

/** Inserts an example into the best so far, `most` at most. */
export function insertExample(best: Example[], example: Example, most: number): void {
  if (best.length === most && compareExamples(best[most - 1]!, example) <= 0) return;
  const after = best.findIndex((other) => compareExamples(example, other) < 0);
  best.splice(after < 0 ? best.length : after, 0, example);
  if (best.length > most) best.pop();
}
