import code from "../../../shaders/rollout.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { PROMPT } from "./prompt.ts";

/** Vec4s of sources that a workgroup makes, and groups of four targets. */
const SOURCES = wgslConstant(code, "LANES") * wgslConstant(code, "SOURCES");
const TARGETS = wgslConstant(code, "TARGETS");

/** Attention rollout, a dispatch for each layer in turn, see `shaders/rollout.wgsl`. */
export const Rollout = defineKernel({
  name: "rollout",
  code,
  /** Whether the residual stream is added, as half of each layer, or the matrices include it. */
  constants: ({ addsResidual }: { readonly addsResidual: boolean }) => ({
    IDENTITY: addsResidual ? 1 : 0,
  }),
  groups: [{ mean: "read", rollout: "readWrite" }, PROMPT, { layer: "uniformAt" }],
  workgroups: ({ tokens }: { readonly tokens: number }) => {
    const groups = Math.ceil(tokens / 4);
    return [Math.ceil(groups / SOURCES), Math.ceil(groups / TARGETS)];
  },
});
export type Rollout = KernelOf<typeof Rollout>;
