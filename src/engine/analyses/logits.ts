import { keptAt } from "../activations/kept_sites.ts";
import type { Run, RunPrompt } from "../passes/run.ts";
import type { DeviceContext } from "../flow/device_context.ts";

/** The logits of some tokens after a position, computed on the CPU, as they are only a few scalar products. */
export async function logitsOf(
  context: DeviceContext,
  run: Run,
  { prompt: { ids, activations }, tokens, position = ids.length - 1 }: {
    readonly prompt: RunPrompt;
    readonly tokens: readonly number[];
    /** By default the last. */
    readonly position?: number | undefined;
  },
): Promise<number[]> {
  const { architecture: { layers, channels: C, epsilon }, weights: { unembedding, finalNorm } } =
    context;
  const texture = keptAt(activations, { site: "RESID_PRE", layer: layers });
  const end = await run.read({ result: [{ texture, row: position, bytes: 4 * C }] });
  const mean = end.reduce((sum, v) => sum + v / C, 0);
  const variance = end.reduce((sum, v) => sum + (v - mean) ** 2 / C, 0);
  const scale = 1 / Math.sqrt(variance + epsilon);
  const { gainOnHost: gain, biasOnHost: bias } = finalNorm;
  const normed = Float64Array.from(end, (v, c) => (v - mean) * scale * gain[c]! + bias[c]!);
  return tokens.map((token) =>
    normed.reduce((sum, v, c) => sum + v * unembedding[token * C + c]!, 0)
  );
}
