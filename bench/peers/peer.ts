import { parseArgs } from "node:util";
import { type Case, readCase } from "../case.ts";
import { maxAbsDiff, measure } from "../measure.ts";

/** What a peer that is written in TypeScript is called with. */
export interface PeerArguments {
  readonly model: string;
  /** A directory with what was made for the peers. */
  readonly work: string;
  readonly cases: readonly Case[];
}

/** Reads `--model DIR --work DIR --reference FILE...`. */
export async function peerArguments(): Promise<PeerArguments> {
  const { values: { model, work, reference } } = parseArgs({
    options: {
      model: { type: "string" },
      work: { type: "string" },
      reference: { type: "string", multiple: true, default: [] },
    },
  });
  return { model: model!, work: work!, cases: await Promise.all(reference.map(readCase)) };
}

/** Compares a peer's patterns with the reference, times them and prints a line of JSON. */
export async function measurePatterns(
  peer: string,
  { ids, patterns }: Case,
  compute: (ids: readonly number[]) => Promise<Float32Array>,
): Promise<void> {
  const error = maxAbsDiff(await compute(ids), patterns);
  const times = await measure({ runs: 7, budgetMs: 8000 }, () => ids, compute);
  console.log(JSON.stringify({ what: `${peer}, patterns`, T: ids.length, ...times, error }));
}
