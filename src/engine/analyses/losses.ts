import { keptAt } from "../activations/kept_sites.ts";
import type { DeviceContext } from "../flow/device_context.ts";
import type { Run, RunPrompt } from "../passes/run.ts";
import type { TopLogits } from "./top_logits.ts";

/**
 * The next-token loss of each position but the last, in nats.
 *
 * @returns (T - 1)
 */
export async function lossesOf(
  { architecture, weights }: Pick<DeviceContext, "architecture" | "weights">,
  topLogits: TopLogits,
  { run, prompt }: { readonly run: Run; readonly prompt: RunPrompt },
): Promise<Float64Array> {
  const { layers, channels: C } = architecture;
  const { ids, activations } = prompt;
  const rows = ids.length - 1;
  const positions = Array.from({ length: rows }, (_, position) => position);
  const totals = await topLogits.of(run, { prompt, layers: [layers], positions }, 1);
  const texture = keptAt(activations, { site: "RESID_PRE", layer: layers });
  const ends = await run.read({
    result: Array.from({ length: rows }, (_, row) => ({ texture, row, bytes: 4 * C })),
  });
  return Float64Array.from({ length: rows }, (_, row) =>
    lossOf({ architecture, weights }, {
      row: ends.subarray(row * C, (row + 1) * C),
      token: ids[row + 1]!,
      total: totals[row]!.total,
    }));
}

/**
 * The loss of a token after a row of the stream, in nats.
 *
 * @param total The log-sum-exp of all logits.
 */
export function lossOf(
  { architecture: { channels: C, epsilon }, weights: { unembedding, finalNorm } }: Pick<
    DeviceContext,
    "architecture" | "weights"
  >,
  { row: end, token, total }: {
    readonly row: Float32Array;
    readonly token: number;
    readonly total: number;
  },
): number {
  const { gainOnHost: gain, biasOnHost: bias } = finalNorm;
  const mean = end.reduce((sum, v) => sum + v / C, 0);
  const variance = end.reduce((sum, v) => sum + (v - mean) ** 2 / C, 0);
  const scale = 1 / Math.sqrt(variance + epsilon);
  const next = token * C;
  let logit = 0;
  for (let c = 0; c < C; c++) {
    logit += ((end[c]! - mean) * scale * gain[c]! + bias[c]!) * unembedding[next + c]!;
  }
  return total - logit;
}
