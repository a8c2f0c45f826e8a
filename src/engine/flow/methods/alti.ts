import { MeasureAlti } from "../../kernels/measure_alti.ts";
import type { MethodKernels, MethodTools } from "./method_kernels.ts";

/** ALTI: how much nearer each source brings a target to what it becomes (Ferrando et al. 2022). */
export async function alti({ device, architecture, writes }: MethodTools): Promise<MethodKernels> {
  const kernel = await MeasureAlti.create(device, architecture);
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
