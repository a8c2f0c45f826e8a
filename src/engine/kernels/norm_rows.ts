import code from "../../../shaders/norm_rows.wgsl" with { type: "text" };
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { defineNorm, Norm, type Norming } from "./norm.ts";

/** Layer norm on software adapters, see `shaders/norm_rows.wgsl`. */
export const NormRows: Norming = defineNorm("norm_rows", code, wgslConstant(code, "ROWS"));

/** The layer norm that suits a device. */
export function normFor(device: GPUDevice): Norming {
  return device.adapterInfo.isFallbackAdapter ? NormRows : Norm;
}
