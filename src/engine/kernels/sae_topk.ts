import code from "../../../shaders/sae_topk.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";

/** The members of `struct TopkPart`. */
export const TOPK_PART_MEMBERS = ["position", "features", "k", "capacity"] as const;

/** The k largest sums of each position, see `shaders/sae_topk.wgsl`. */
export const SaeTopk = defineKernel({
  name: "sae_topk",
  code,
  groups: [{ sums: "read", found: "readWrite", listed: "readWrite" }, { part: "uniformAt" }],
  workgroups: ({ rows }: { readonly rows: number }) => [rows],
});
export type SaeTopk = KernelOf<typeof SaeTopk>;
