import code from "../../../shaders/chosen_mean.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { PROMPT } from "./prompt.ts";

const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** The mean of some layers' patterns over some heads, see `shaders/chosen_mean.wgsl`. */
export const ChosenMean = defineKernel({
  name: "chosen_mean",
  code,
  groups: [{ patterns: "read", indices: "read", mean: "readWrite" }, PROMPT],
  /** `stride`: vec4s from one triangle to the next. */
  workgroups: (
    { stride, layers }: { readonly stride: number; readonly layers: number },
  ) => [Math.ceil(stride / WORKGROUP), layers],
});
export type ChosenMean = KernelOf<typeof ChosenMean>;
