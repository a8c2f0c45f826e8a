import code from "../../../shaders/head_outputs.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { PROMPT } from "./prompt.ts";

const ROWS = wgslConstant(code, "ROWS");
const TEXELS = wgslConstant(code, "LANES") * wgslConstant(code, "GROUPS");

/** Each head's output for each source, see `shaders/head_outputs.wgsl`. */
export const HeadOutputs = defineKernel({
  name: "head_outputs",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({
    C4: channels / 4,
    D4: channels / heads / 4,
  }),
  groups: [{ qkv: "readTexture", w: "readTexture", f: "writeTextures" }, PROMPT],
  workgroups: (
    { tokens }: { readonly tokens: number },
    { C4, D4 },
  ) => [Math.ceil(C4 / TEXELS), Math.ceil(tokens / ROWS), C4 / D4],
});
export type HeadOutputs = KernelOf<typeof HeadOutputs>;
