import code from "../../../shaders/feature_reach.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";

const LANES = wgslConstant(code, "LANES");

/** The members of `struct FeatureReach`: how many rows there are, and where their results go. */
export const FEATURE_REACH_MEMBERS = ["rows", "first"] as const;

/** Rows of a matrix along a direction, see `shaders/feature_reach.wgsl`. */
export const FeatureReach = defineKernel({
  name: "feature_reach",
  code,
  constants: ({ channels }: { readonly channels: number }) => ({ C4: channels / 4 }),
  groups: [
    { matrix: "readTexture", b: "read", w: "read", reach: "readWrite" },
    { rows: "uniformAt" },
  ],
  workgroups: ({ rows }: { readonly rows: number }) => [Math.ceil((rows + 1) / LANES)],
});
export type FeatureReach = KernelOf<typeof FeatureReach>;
