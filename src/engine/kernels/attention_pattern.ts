import code from "../../../shaders/attention_pattern.wgsl" with { type: "text" };
import { defineKernel, type KernelDefinition, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { PROMPT } from "./prompt.ts";

/** The sizes that attention kernels are compiled for. */
export interface AttentionShape {
  readonly heads: number;
  readonly channels: number;
}

/** The stage that is computed: the whole pattern, only the scores, or the softmax of given scores. */
export type AttentionStage = "all" | "scores" | "softmax";
const STAGES: Record<AttentionStage, number> = { all: 0, scores: 1, softmax: 2 };

const GROUPS = [
  { layer: "uniform", qkv: "readTexture" },
  PROMPT,
  { patterns: "readWriteAt" },
] as const;

/** An implementation of attention patterns; each suits some devices. */
export interface Attending extends
  KernelDefinition<
    AttentionShape & { readonly stage?: AttentionStage },
    typeof GROUPS,
    { readonly targets: number }
  > {}

/** Declares a shader that makes patterns, whose workgroups make `ROWS` targets of a head. */
export function defineAttending(name: string, code: string): Attending {
  const rows = wgslConstant(code, "ROWS");
  return defineKernel({
    name,
    code,
    constants: (
      { heads, channels, stage = "all" }: AttentionShape & { readonly stage?: AttentionStage },
    ) => ({
      C4: channels / 4,
      D4: channels / heads / 4,
      STAGE: STAGES[stage],
    }),
    groups: GROUPS,
    workgroups: (
      { targets }: { readonly targets: number },
      { C4, D4 },
    ) => [Math.ceil(targets / rows), C4 / D4],
  });
}

/** Scores, causal softmax and the writing of the pattern, see `shaders/attention_pattern.wgsl`. */
export const AttentionPattern: Attending = defineAttending("attention_pattern", code);
export type AttentionPattern = KernelOf<Attending>;
