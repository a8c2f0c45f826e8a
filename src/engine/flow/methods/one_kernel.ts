import type { MeasureAlti } from "../../kernels/measure_alti.ts";
import type { MethodKernels, MethodTools } from "./method_kernels.ts";

/** A kernel that makes a method's matrix of a layer from head outputs, the residual stream and patterns, such as ALTI's. */
export type LayerKernel = typeof MeasureAlti;

/** A method of one kernel. */
export async function oneKernel(
  { device, architecture, writes }: MethodTools,
  definition: LayerKernel,
): Promise<MethodKernels> {
  const kernel = await definition.create(device, architecture);
  return {
    prepare: () => Promise.resolve(),
    encode: (pass, measured, { layer, x, y, patterns, matrix }) => {
      const { tokens, prompt } = measured;
      const f = writes.encode(pass, measured, layer);
      kernel.dispatch(pass, [
        [kernel.bind({ f, x, y })],
        prompt,
        [kernel.bind({ patterns: patterns.bound }), patterns.offset],
        [kernel.bind({ matrix: matrix.bound }), matrix.offset],
      ], { tokens });
    },
  };
}
