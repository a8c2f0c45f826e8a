import { RouteSums } from "../../kernels/route_sums.ts";
import type { MethodKernels, MethodTools } from "./method_kernels.ts";

/** ROUTES: ALTI for each head by itself (Ferrando & Voita 2024). */
export async function routes(
  { device, architecture, routeShares }: MethodTools,
): Promise<MethodKernels> {
  const kernel = await RouteSums.create(device, architecture);
  return {
    prepare: async (measured) => {
      await routeShares.prepare(measured);
    },
    encode: (pass, measured, { layer, x, y, matrix }) => {
      const parts = routeShares.encode(pass, measured, layer);
      kernel.dispatch(pass, [
        [kernel.bind({ x, y, parts })],
        measured.prompt,
        [kernel.bind({ matrix: matrix.bound }), matrix.offset],
      ], { tokens: measured.tokens });
    },
  };
}
