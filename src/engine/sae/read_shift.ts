import type { Checkpoint } from "../../requests/architecture/checkpoint.ts";
import type { SaeConfig } from "../../requests/sae/sae_config.ts";

/**
 * The part of the stored model's activation that the model of an autoencoder's training lacked: the values' bias, if it
 * was folded away, and what ln_1's bias adds to it, if that was folded too.
 *
 * @returns (n)
 */
export async function readShift(
  checkpoint: Checkpoint,
  { site, layer, inputs, conversion }: SaeConfig,
): Promise<Float32Array<ArrayBuffer>> {
  const shift = new Float32Array(inputs);
  if (site !== "Z" || !conversion.isValueBiasFolded) return shift;
  const { architecture } = checkpoint;
  const { channels: C } = architecture;
  const [norm1, attentionIn] = (["norm1", "attentionIn"] as const).map((name) =>
    checkpoint.tensors.layers[layer]!.find((part) => part.name === name)!
  );
  const b = await checkpoint.read(attentionIn!.bias);
  const sums = Float64Array.from(b.subarray(2 * C, 3 * C));
  if (conversion.isNormFolded) {
    const bias = await checkpoint.read(norm1!.bias);
    const w = await checkpoint.read(attentionIn!.weight);
    for (let k = 0; k < C; k++) {
      for (let c = 0; c < C; c++) sums[c]! += bias[k]! * w[k * 3 * C + 2 * C + c]!;
    }
  }
  shift.set(sums);
  return shift;
}
