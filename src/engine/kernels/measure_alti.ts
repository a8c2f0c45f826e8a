import code from "../../../shaders/measure_alti.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { PROMPT } from "./prompt.ts";

const ROWS = wgslConstant(code, "ROWS");
const LANES = wgslConstant(code, "LANES");

/** How much nearer a source brings a target to its value after attention, see `shaders/measure_alti.wgsl`. */
export const MeasureAlti = defineKernel({
  name: "measure_alti",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({ C4: channels / 4, HEADS: heads }),
  groups: [
    { f: "readTextures", x: "readTexture", y: "readTexture" },
    PROMPT,
    { patterns: "readAt" },
    { matrix: "readWriteAt" },
  ],
  workgroups: (
    { tokens }: { readonly tokens: number },
  ) => [Math.ceil(tokens / ROWS), Math.ceil(tokens / LANES)],
});
export type MeasureAlti = KernelOf<typeof MeasureAlti>;
