import code from "../../../shaders/head_statistics.wgsl" with { type: "text" };
import { fractionBits } from "../../requests/head_statistics/slots.ts";
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { PROMPT } from "./prompt.ts";

/** The number of largest weights of each head of a prompt. */
export const TOP: number = wgslConstant(code, "TOP");

/** Sums of what heads do over many prompts, see `shaders/head_statistics.wgsl`. */
export const HeadStatisticsKernel = defineKernel({
  name: "head_statistics",
  code,
  constants: ({ context }: { readonly context: number }) => {
    const { entropy, distance, squared } = fractionBits(context);
    return {
      ENTROPY_SCALE: 2 ** entropy,
      DISTANCE_SCALE: 2 ** distance,
      SQUARED_SCALE: 2 ** squared,
    };
  },
  groups: [{
    patterns: "read",
    cells: "read",
    earlier: "read",
    totals: "readWrite",
    tops: "readWrite",
  }, PROMPT],
  workgroups: (
    { heads, layers }: { readonly heads: number; readonly layers: number },
  ) => [heads, layers],
});
export type HeadStatisticsKernel = KernelOf<typeof HeadStatisticsKernel>;
