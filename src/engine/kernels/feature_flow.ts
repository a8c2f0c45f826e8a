import code from "../../../shaders/feature_flow.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";

const LANES = wgslConstant(code, "LANES");

/** The members of `struct FeatureFlow`: the prompt, which targets there are, and where the result goes. */
export const FEATURE_FLOW_MEMBERS = ["tokens", "stride", "first", "rows", "result"] as const;

/** What each source adds to a feature at each target, see `shaders/feature_flow.wgsl`. */
export const FeatureFlow = defineKernel({
  name: "feature_flow",
  code,
  constants: ({ heads, byHead }: { readonly heads: number; readonly byHead: boolean }) => ({
    HEADS: heads,
    BY_HEAD: Number(byHead),
  }),
  groups: [
    { sources: "read", scales: "read", flow: "readWrite" },
    { patterns: "readAt" },
    { layer: "uniformAt" },
  ],
  workgroups: (
    { tokens, rows }: { readonly tokens: number; readonly rows: number },
    { HEADS, BY_HEAD },
  ) => [Math.ceil(tokens / LANES), rows, BY_HEAD ? HEADS : 1],
});
export type FeatureFlow = KernelOf<typeof FeatureFlow>;
