import code from "../../../shaders/cell_sums.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { PROMPT } from "./prompt.ts";

/** How many lists of cells there are. */
export const LISTS: number = wgslConstant(code, "LISTS");

/** Sums over cells of every head's pattern, see `shaders/cell_sums.wgsl`. */
export const CellSums = defineKernel({
  name: "cell_sums",
  code,
  groups: [
    { lists: "uniform", cells: "read", sums: "readWrite" },
    PROMPT,
    { patterns: "readAt" },
    { layer: "uniformAt" },
  ],
  workgroups: ({ heads }: { readonly heads: number }) => [heads],
});
export type CellSums = KernelOf<typeof CellSums>;
