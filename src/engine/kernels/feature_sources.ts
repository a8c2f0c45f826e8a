import code from "../../../shaders/feature_sources.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import type { AttentionShape } from "./attention_pattern.ts";

const LANES = wgslConstant(code, "LANES");

/** The members of `struct FeatureSources`: T, and where the layer's reach begins. */
export const FEATURE_SOURCES_MEMBERS = ["tokens", "first"] as const;

/** What each source's values say along a feature, head by head, see `shaders/feature_sources.wgsl`. */
export const FeatureSources = defineKernel({
  name: "feature_sources",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({
    C4: channels / 4,
    D4: channels / heads / 4,
  }),
  groups: [
    { qkv: "readTexture", reach: "read", shift: "read", sources: "readWrite" },
    { layer: "uniformAt" },
  ],
  workgroups: ({ tokens }: { readonly tokens: number }, { C4, D4 }) => [
    Math.ceil(tokens / LANES),
    C4 / D4,
  ],
});
export type FeatureSources = KernelOf<typeof FeatureSources>;
