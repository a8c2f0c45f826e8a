import { BINS } from "../../../requests/head_statistics/partial_statistics.ts";
import { rounded, type Sequence } from "./sequence.ts";

/** Distances are counted in bins that double. */
const DISTANCES = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];
/** Tokens that are named for each side. */
const MOST_TOKENS = 50;

/** What the file of a head has. */
export function headFile(
  sequences: readonly Sequence[],
  { histogram, meanMax }: { readonly histogram: readonly number[]; readonly meanMax: number },
): unknown {
  const distances = new Array<number>(DISTANCES.length - 1).fill(0);
  const queries = new Map<string, number>();
  const keys = new Map<string, number>();
  for (const { tokens, seq_len: T, attention_indices, attention_values } of sequences) {
    attention_indices.forEach((index, at) => {
      const value = attention_values[at]!;
      const [target, source] = [Math.floor(index / T), index % T];
      const bin = DISTANCES.findLastIndex((edge) => edge <= target - source);
      if (bin < distances.length) distances[bin]! += value;
      add(queries, tokens[target]!, value);
      add(keys, tokens[source]!, value);
    });
  }
  return {
    sequences,
    qk_distance_histogram: { bin_edges: DISTANCES, bin_values: distances.map(rounded) },
    top_query_tokens: largest(queries),
    top_key_tokens: largest(keys),
    histogram: {
      bin_edges: Array.from({ length: BINS + 1 }, (_, edge) => rounded(edge / BINS)),
      bin_values: histogram,
    },
    statistics: { n_samples: sequences.length, mean_max_activation: rounded(meanMax) },
  };
}

function add(sums: Map<string, number>, token: string, value: number): void {
  sums.set(token, (sums.get(token) ?? 0) + value);
}

function largest(sums: ReadonlyMap<string, number>): unknown {
  return [...sums].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, MOST_TOKENS)
    .map(([token, weight]) => ({ token, weight: rounded(weight) }));
}
