import code from "../../../shaders/mix_values.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { PROMPT } from "./prompt.ts";

const ROWS = wgslConstant(code, "ROWS");
const COLUMNS = wgslConstant(code, "COLUMNS");
const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** z = A v for every head, see `shaders/mix_values.wgsl`. */
export const MixValues = defineKernel({
  name: "mix_values",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({
    C4: channels / 4,
    D4: channels / heads / 4,
    HEADS: heads,
  }),
  groups: [{ qkv: "readTexture", z: "writeTexture" }, PROMPT, { patterns: "readAt" }],
  workgroups: ({ targets }: { readonly targets: number }, { D4, HEADS }) => {
    const invocations = Math.ceil(targets / ROWS) * HEADS * Math.ceil(D4 / COLUMNS);
    return [Math.ceil(invocations / WORKGROUP)];
  },
});
export type MixValues = KernelOf<typeof MixValues>;
