import { keptAt } from "../../activations/kept_sites.ts";
import type { MethodKernels, MethodTools } from "./method_kernels.ts";
import { ZeroedLayers } from "./zeroed_layers.ts";

/** VALUE_ZEROING: how much a layer's output turns when a source's values are zeroed (Mohebbi et al. 2023). */
export async function valueZeroing(
  { device, architecture, forward, writes }: MethodTools,
): Promise<MethodKernels> {
  const layers = await ZeroedLayers.create(device, architecture);
  return {
    prepare: ({ tokens }) => layers.prepare(tokens),
    encode: (pass, measured, { layer, y, patterns, matrix }) => {
      const { activations, prompt } = measured;
      layers.encode(pass, {
        prompt,
        weights: forward.layerWeights(layer),
        f: writes.encode(pass, measured, layer),
        middle: y,
        after: keptAt(activations, { site: "RESID_POST", layer }).createView(),
        patterns,
        matrix,
      });
    },
  };
}
