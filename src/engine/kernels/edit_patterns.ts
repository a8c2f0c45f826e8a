import code from "../../../shaders/edit_patterns.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { PROMPT } from "./prompt.ts";

const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** Changes scores or patterns of a layer, see `shaders/edit_patterns.wgsl`. */
export const EditPatterns = defineKernel({
  name: "edit_patterns",
  code,
  groups: [
    {
      edit: "uniform",
      heads: "read",
      targets: "read",
      sources: "read",
      s: "read",
      patterns: "readWrite",
    },
    PROMPT,
  ],
  workgroups: ({ tokens, heads }: { readonly tokens: number; readonly heads: number }) => [
    Math.ceil(Math.ceil(tokens / 4) / WORKGROUP),
    tokens,
    heads,
  ],
});
export type EditPatterns = KernelOf<typeof EditPatterns>;
