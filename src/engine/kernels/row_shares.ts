import code from "../../../shaders/row_shares.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { PROMPT } from "./prompt.ts";

/** Rows divided by their sums, see `shaders/row_shares.wgsl`. */
export const RowShares = defineKernel({
  name: "row_shares",
  code,
  groups: [{ matrix: "readWrite" }, PROMPT],
  workgroups: (
    { tokens, layers }: { readonly tokens: number; readonly layers: number },
  ) => [tokens, layers],
});
export type RowShares = KernelOf<typeof RowShares>;
