import code from "../../../shaders/flow_cells.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { PROMPT } from "./prompt.ts";

/** Flows in which neighbouring positions share cells, see `shaders/flow_cells.wgsl`. */
export const FlowCells = defineKernel({
  name: "flow_cells",
  code,
  groups: [{ matrix: "read", mean: "read", flows: "readWrite" }, PROMPT],
  workgroups: (
    { cells, matrices }: { readonly cells: number; readonly matrices: number },
  ) => [cells, matrices],
});
export type FlowCells = KernelOf<typeof FlowCells>;
