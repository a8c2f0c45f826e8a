import code from "../../../shaders/top_tokens.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";

/** The members of `struct Block`: which tokens a block has, and which lists are read and written. */
export const BLOCK_MEMBERS = ["first", "tokens", "half", "row", "rows", "k"] as const;

/** The k largest logits of each row, a dispatch for each block in turn, see `shaders/top_tokens.wgsl`. */
export const TopTokens = defineKernel({
  name: "top_tokens",
  code,
  groups: [{ logits: "readTexture", tops: "readWrite" }, { block: "uniformAt" }],
  workgroups: ({ rows }: { readonly rows: number }) => [rows],
});
export type TopTokens = KernelOf<typeof TopTokens>;
