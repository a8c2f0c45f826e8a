import code from "../../../shaders/head_mean.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { PROMPT } from "./prompt.ts";

const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** The mean of a layer's patterns over its heads, see `shaders/head_mean.wgsl`. */
export const HeadMean = defineKernel({
  name: "head_mean",
  code,
  constants: ({ heads }: { readonly heads: number }) => ({ HEADS: heads }),
  groups: [{ patterns: "read", mean: "readWrite" }, PROMPT],
  /** `length`: vec4s of each layer's triangle that are made. */
  workgroups: (
    { length, layers }: { readonly length: number; readonly layers: number },
  ) => [Math.ceil(length / WORKGROUP), layers],
});
export type HeadMean = KernelOf<typeof HeadMean>;
