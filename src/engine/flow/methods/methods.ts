import type { Method } from "../../../requests/flow_methods.ts";
import { MeasureAlti } from "../../kernels/measure_alti.ts";
import type { MethodKernels, MethodTools } from "./method_kernels.ts";
import { oneKernel } from "./one_kernel.ts";
import { norms } from "./norms.ts";
import { routes } from "./routes.ts";
import { valueZeroing } from "./value_zeroing.ts";

/** A method whose matrices are measured layer by layer, from what heads write. */
export type Measure = Exclude<Method, "ATTENTION">;

/** Compiles the kernels of each method. */
export const METHOD_KERNELS: Readonly<
  Record<Measure, (tools: MethodTools) => Promise<MethodKernels>>
> = {
  VALUE_NORM: (tools) => norms(tools, "apart"),
  ATTENTION_NORM: (tools) => norms(tools, "together"),
  ATTENTION_RESIDUAL: (tools) => norms(tools, "residual"),
  ALTI: (tools) => oneKernel(tools, MeasureAlti),
  ROUTES: routes,
  VALUE_ZEROING: valueZeroing,
};
