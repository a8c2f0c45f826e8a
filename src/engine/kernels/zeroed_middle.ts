import code from "../../../shaders/zeroed_middle.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { PROMPT } from "./prompt.ts";

/** The stream after attention without a source, see `shaders/zeroed_middle.wgsl`. */
export const ZeroedMiddle = defineKernel({
  name: "zeroed_middle",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({ C4: channels / 4, HEADS: heads }),
  groups: [
    { pairs: "read", f: "readTextures", y: "readTexture", z: "writeTexture" },
    PROMPT,
    { patterns: "readAt" },
    { block: "uniformAt" },
  ],
  workgroups: ({ rows }: { readonly rows: number }) => [rows],
});
export type ZeroedMiddle = KernelOf<typeof ZeroedMiddle>;
