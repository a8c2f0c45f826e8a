import type { Checkpoint } from "../../checkpoints/checkpoint.ts";
import { layerParameters } from "../../requests/architecture/parameters.ts";
import type { SaeConfig } from "../../requests/sae/sae_config.ts";

/**
 * What the model that an autoencoder was trained on had not in its activation: the values' bias, where that was folded
 * away, with what ln_1's bias adds to it if that was folded too.
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
  const parameters = layerParameters(architecture, layer);
  const read = async (name: string): Promise<Float32Array> =>
    await checkpoint.read(parameters.find((it) => it.name === `h.${layer}.${name}`)!);
  const b = await read("attn.c_attn.bias");
  const sums = Float64Array.from(b.subarray(2 * C, 3 * C));
  if (conversion.isNormFolded) {
    const bias = await read("ln_1.bias");
    const w = await read("attn.c_attn.weight");
    for (let k = 0; k < C; k++) {
      for (let c = 0; c < C; c++) sums[c]! += bias[k]! * w[k * 3 * C + 2 * C + c]!;
    }
  }
  shift.set(sums);
  return shift;
}
