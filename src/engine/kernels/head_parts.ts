import code from "../../../shaders/head_parts.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { PROMPT } from "./prompt.ts";

/** The heads' outputs at the last position along directions, see `shaders/head_parts.wgsl`. */
export const HeadParts = defineKernel({
  name: "head_parts",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({
    C4: channels / 4,
    D4: channels / heads / 4,
    HEADS: heads,
  }),
  groups: [
    { directions: "read", qkv: "readTexture", w: "readTexture", b: "read", parts: "readWrite" },
    PROMPT,
    { patterns: "readAt" },
    { layer: "uniformAt" },
  ],
  workgroups: (_work: void, { HEADS }) => [HEADS + 1],
});
export type HeadParts = KernelOf<typeof HeadParts>;
