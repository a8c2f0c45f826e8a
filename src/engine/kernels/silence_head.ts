import code from "../../../shaders/silence_head.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { PROMPT } from "./prompt.ts";

const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** A head's values made zero, see `shaders/silence_head.wgsl`. */
export const SilenceHead = defineKernel({
  name: "silence_head",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({
    C4: channels / 4,
    D4: channels / heads / 4,
  }),
  groups: [{ qkv: "writeTexture" }, PROMPT, { head: "uniformAt" }],
  workgroups: (
    { tokens }: { readonly tokens: number },
    { D4 },
  ) => [Math.ceil(tokens * D4 / WORKGROUP)],
});
export type SilenceHead = KernelOf<typeof SilenceHead>;
