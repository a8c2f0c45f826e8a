import code from "../../../shaders/patched_attention.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import type { AttentionShape } from "./attention_pattern.ts";

/** What a row is computed from: `struct PatchedRow`, in its order. */
export const PATCHED_ROW_MEMBERS = [
  "position",
  "base",
  "other",
  "head",
  "query",
  "first_key",
  "end_key",
  "first_value",
  "end_value",
  "action",
  "mean_from",
  "end",
] as const;

/** `head` if all heads read from the other run. */
export const ALL_HEADS = 0xffffffff;

/** The replacement of a patched head's output: its mixed values, zeros, or its mean over positions. */
export const HEAD_ACTIONS = { MIX: 0, ZERO: 1, MEAN: 2 } as const;

/** Attention of rows of many runs at once, see `shaders/patched_attention.wgsl`. */
export const PatchedAttention = defineKernel({
  name: "patched_attention",
  code,
  /** `context`: the most tokens of a prompt. */
  constants: ({ heads, channels, context }: AttentionShape & { readonly context: number }) => ({
    C4: channels / 4,
    D4: channels / heads / 4,
    CONTEXT: context,
  }),
  groups: [{ layer: "uniform", qkv: "readTexture", z: "writeTexture" }, { rows: "readAt" }],
  workgroups: ({ rows }: { readonly rows: number }, { C4, D4 }) => [rows, C4 / D4],
});
export type PatchedAttention = KernelOf<typeof PatchedAttention>;
