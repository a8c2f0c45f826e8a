import type { Architecture } from "../../../requests/architecture/architecture.ts";
import type { MetricArgument, PatchMetric } from "../../../requests/patching.ts";
import type { Weights } from "../../model/weights.ts";

/** A run's last position: its stream after the last layer, and the log-sum-exp of its logits. */
export interface LastRow {
  readonly stream: Float32Array;
  readonly total: number | undefined;
}

/** Whether a metric needs the logits of all tokens. */
export function needsTotals(metric: PatchMetric): boolean {
  return metric !== "LOGIT_DIFF";
}

/**
 * Makes the function that computes a metric of a run's last position, a few scalar products on the CPU.
 *
 * @param clean The clean run, for KL: `sum_t p_clean(t) (log p_clean(t) - log p_run(t))`, in nats. The mean logit under
 *   `p_clean` is a product with the mean row of the unembedding, so that no run's other logits are needed; equal rows
 *   have 0 to the bit.
 * @returns The metric of a run.
 */
export function metricOf(
  { metric, answer, against }: Omit<MetricArgument, "limit">,
  model: { readonly architecture: Architecture; readonly weights: Weights },
  clean: LastRow,
): (row: LastRow) => number {
  const { architecture: { channels: C }, weights: { unembedding } } = model;
  const token = (id: number): Float32Array => unembedding.subarray(id * C, (id + 1) * C);
  const dot = (x: Float64Array, y: ArrayLike<number>): number => {
    let sum = 0;
    for (let c = 0; c < C; c++) sum += x[c]! * y[c]!;
    return sum;
  };
  const normed = (row: LastRow): Float64Array => finalNorm(row.stream, model);
  switch (metric) {
    case "LOGIT_DIFF": {
      const [a, b] = [token(answer), token(against)];
      const direction = Float64Array.from(a, (v, c) => v - b[c]!);
      return (row) => dot(normed(row), direction);
    }
    case "LOG_PROB":
      return (row) => dot(normed(row), token(answer)) - row.total!;
    case "PROB":
      return (row) => Math.exp(dot(normed(row), token(answer)) - row.total!);
    case "KL": {
      const first = normed(clean);
      const mean = meanToken(first, unembedding);
      return (row) => {
        const x = normed(row);
        const change = first.map((v, c) => v - x[c]!);
        return dot(change, mean) + row.total! - clean.total!;
      };
    }
  }
}

/** The mean row of the unembedding, each token weighted with its probability. */
function meanToken(x: Float64Array, unembedding: Float32Array): Float64Array {
  const C = x.length;
  const logits = new Float64Array(unembedding.length / C);
  for (let token = 0; token < logits.length; token++) {
    let sum = 0;
    for (let c = 0; c < C; c++) sum += x[c]! * unembedding[token * C + c]!;
    logits[token] = sum;
  }
  const largest = logits.reduce((a, b) => Math.max(a, b));
  const mean = new Float64Array(C);
  let total = 0;
  for (let token = 0; token < logits.length; token++) {
    const weight = Math.exp(logits[token]! - largest);
    total += weight;
    if (weight < 1e-30) continue; // too small to change the sum
    for (let c = 0; c < C; c++) mean[c]! += weight * unembedding[token * C + c]!;
  }
  return mean.map((v) => v / total);
}

function finalNorm(
  x: Float32Array,
  { architecture: { channels: C, epsilon }, weights: { finalNorm } }: {
    readonly architecture: Architecture;
    readonly weights: Weights;
  },
): Float64Array {
  const { gainOnHost: gain, biasOnHost: bias } = finalNorm;
  let mean = 0;
  for (const v of x) mean += v / C;
  let variance = 0;
  for (const v of x) variance += (v - mean) ** 2 / C;
  const scale = 1 / Math.sqrt(variance + epsilon);
  return Float64Array.from(x, (v, c) => (v - mean) * scale * gain[c]! + bias[c]!);
}
