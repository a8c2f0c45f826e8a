import type { Settled } from "../passes/materialize.ts";
import { streamIndex } from "../activations/residual_stream.ts";
import type { Workbench } from "./device_context.ts";

/** The last position's logits of some tokens, computed here: a few scalar products need no device. */
export async function logitsOf(
  bench: Workbench,
  { ids, entry }: Settled,
  tokens: readonly number[],
): Promise<number[]> {
  const { architecture: { layers, channels: C, epsilon }, weights: { unembedding, finalNorm } } =
    bench;
  const { texture } = entry.streams!;
  const origin = [0, ids.length - 1, streamIndex(layers, "before")];
  const end = await bench.read(
    4 * C,
    (encoder, buffer) => encoder.copyTextureToBuffer({ texture, origin }, { buffer }, [C / 4, 1]),
  );
  const mean = end.reduce((sum, v) => sum + v / C, 0);
  const variance = end.reduce((sum, v) => sum + (v - mean) ** 2 / C, 0);
  const scale = 1 / Math.sqrt(variance + epsilon);
  const { gainOnHost: gain, biasOnHost: bias } = finalNorm;
  const normed = Float64Array.from(end, (v, c) => (v - mean) * scale * gain[c]! + bias[c]!);
  return tokens.map((token) =>
    normed.reduce((sum, v, c) => sum + v * unembedding[token * C + c]!, 0)
  );
}
