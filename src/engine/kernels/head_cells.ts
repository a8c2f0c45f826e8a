import code from "../../../shaders/head_cells.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { PROMPT } from "./prompt.ts";

/** Patterns of chosen heads as squares of cells, see `shaders/head_cells.wgsl`. */
export const HeadCells = defineKernel({
  name: "head_cells",
  code,
  groups: [{ patterns: "read", indices: "read", flows: "readWrite" }, PROMPT],
  workgroups: (
    { targets, heads }: { readonly targets: number; readonly heads: number },
  ) => [targets, heads],
});
export type HeadCells = KernelOf<typeof HeadCells>;
