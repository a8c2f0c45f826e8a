import code from "../../../shaders/route_sums.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { PROMPT } from "./prompt.ts";

/** The parts of all heads and of the residual stream in one matrix, see `shaders/route_sums.wgsl`. */
export const RouteSums = defineKernel({
  name: "route_sums",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({ C4: channels / 4, HEADS: heads }),
  groups: [{ x: "readTexture", y: "readTexture", parts: "read" }, PROMPT, {
    matrix: "readWriteAt",
  }],
  workgroups: ({ tokens }: { readonly tokens: number }) => [tokens],
});
export type RouteSums = KernelOf<typeof RouteSums>;
