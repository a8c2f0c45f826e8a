import code from "../../../shaders/attention_pattern.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { PROMPT } from "./prompt.ts";

const ROWS = wgslConstant(code, "ROWS");

/** The sizes that attention kernels are compiled for. */
export interface AttentionShape {
  readonly heads: number;
  readonly channels: number;
}

/** What of the patterns is made: all, the scores alone, or the softmax of scores that are there. */
export type AttentionStage = "all" | "scores" | "softmax";
const STAGES: Record<AttentionStage, number> = { all: 0, scores: 1, softmax: 2 };

/** Scores, causal softmax and the writing of the pattern, see `shaders/attention_pattern.wgsl`. */
export const AttentionPattern = defineKernel({
  name: "attention_pattern",
  code,
  constants: (
    { heads, channels, stage = "all" }: AttentionShape & { readonly stage?: AttentionStage },
  ) => ({
    C4: channels / 4,
    D4: channels / heads / 4,
    STAGE: STAGES[stage],
  }),
  groups: [{ layer: "uniform", qkv: "readTexture" }, PROMPT, { patterns: "readWriteAt" }],
  workgroups: (
    { targets }: { readonly targets: number },
    { C4, D4 },
  ) => [Math.ceil(targets / ROWS), C4 / D4],
});
export type AttentionPattern = KernelOf<typeof AttentionPattern>;
