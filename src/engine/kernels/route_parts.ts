import code from "../../../shaders/route_parts.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { PROMPT } from "./prompt.ts";

const LANES = wgslConstant(code, "LANES");
const ROWS = wgslConstant(code, "ROWS");
const HEADS_AT_ONCE = wgslConstant(code, "HEADS_AT_ONCE");

/** How much nearer each head brings a target to its value after attention, see `shaders/route_parts.wgsl`. */
export const RouteParts = defineKernel({
  name: "route_parts",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({ C4: channels / 4, HEADS: heads }),
  groups: [{ f: "readTextures", y: "readTexture", parts: "readWrite" }, PROMPT, {
    patterns: "readAt",
  }],
  workgroups: (
    { tokens }: { readonly tokens: number },
    { HEADS },
  ) => [Math.ceil(tokens / LANES), Math.ceil(tokens / ROWS), Math.ceil(HEADS / HEADS_AT_ONCE)],
});
export type RouteParts = KernelOf<typeof RouteParts>;
