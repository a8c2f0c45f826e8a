import type { StatisticsEngine } from "../../src/corpus/jobs/head_statistics_job.ts";
import { InfoflowError } from "../../src/errors.ts";
import {
  flowSlots,
  type HeadSizes,
  headSlots,
} from "../../src/requests/head_statistics/head_sums.ts";
import { EXAMPLES } from "../../src/requests/head_statistics/partial_statistics.ts";
import { Random } from "./random.ts";

const SIZES: HeadSizes = { layers: 2, heads: 3, context: 64 };

/** Sums that depend on nothing but the prompts, made without a device: for tests of what is done with them. */
export function fakeStatistics(
  onSum: () => Promise<void> = () => Promise.resolve(),
): StatisticsEngine {
  return {
    sizes: SIZES,
    read: (row) => {
      const text = "prompt" in row ? row.prompt : row.ids.join(" ");
      const ids = [0, ...Array.from(text, (letter) => letter.codePointAt(0)!)];
      if (text === "") throw new InfoflowError("PROMPT_EMPTY", "empty");
      if (ids.length > SIZES.context) throw new InfoflowError("PROMPT_TOO_LONG", "too long");
      return { prompt: text, ids, tokens: ids.map(String) };
    },
    sum: async (prompts) => {
      await onSum();
      const sums = new BigUint64Array(headSlots(SIZES));
      const flows = new BigUint64Array(flowSlots(SIZES));
      const heads = SIZES.layers * SIZES.heads;
      const tops = new ArrayBuffer(prompts.length * heads * EXAMPLES * 8);
      const [weights, places] = [new Float32Array(tops), new Uint32Array(tops)];
      prompts.forEach((ids, n) => {
        const random = new Random(ids.reduce((a, b) => (31 * a + b) | 0, 7));
        sums.forEach((_, at) => sums[at]! += BigInt(random.below(2 ** 30)));
        flows.forEach((_, at) => flows[at]! += BigInt(random.below(2 ** 30)));
        for (let head = 0; head < heads; head++) {
          const found = Array.from({ length: EXAMPLES }, () => random.uniform()).sort().reverse();
          found.forEach((weight, rank) => {
            const at = 2 * ((n * heads + head) * EXAMPLES + rank);
            weights[at] = Math.round(weight * 8) / 8; // with many ties
            places[at + 1] = 65536 * (rank + 1) + 1;
          });
        }
      });
      return { sums, flows, tops };
    },
    patterns: (ids, { heads }) => {
      const T = ids.length;
      const even = Array.from(
        { length: T * T },
        (_, at) => at % T <= at / T ? 1 / (1 + Math.floor(at / T)) : 0,
      );
      return Promise.resolve(Float32Array.from(heads.flatMap(() => even)));
    },
  };
}
