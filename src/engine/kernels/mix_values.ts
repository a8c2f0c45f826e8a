import code from "../../../shaders/mix_values.wgsl" with { type: "text" };
import { defineKernel, type KernelDefinition, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { PROMPT } from "./prompt.ts";

/** The groups of every shader that mixes values. */
export const MIXING_GROUPS = [
  { qkv: "readTexture", z: "writeTexture" },
  PROMPT,
  { patterns: "readAt" },
] as const;

/** An implementation of mixing values; each suits some devices. */
export interface Mixing
  extends KernelDefinition<AttentionShape, typeof MIXING_GROUPS, { readonly targets: number }> {}

/**
 * Declares a shader that mixes values, whose workgroups make `WORKGROUP` tiles of `ROWS` targets and `COLUMNS` vec4s of
 * channels.
 */
export function defineMixing(name: string, code: string): Mixing {
  const rows = wgslConstant(code, "ROWS");
  const columns = wgslConstant(code, "COLUMNS");
  const workgroup = wgslConstant(code, "WORKGROUP");
  return defineKernel({
    name,
    code,
    constants: ({ heads, channels }: AttentionShape) => ({
      C4: channels / 4,
      D4: channels / heads / 4,
      HEADS: heads,
    }),
    groups: MIXING_GROUPS,
    workgroups: ({ targets }: { readonly targets: number }, { D4, HEADS }) => {
      const tiles = Math.ceil(targets / rows) * HEADS * Math.ceil(D4 / columns);
      return [Math.ceil(tiles / workgroup)];
    },
  });
}

/** z = A v for every head, see `shaders/mix_values.wgsl`. */
export const MixValues: Mixing = defineMixing("mix_values", code);
export type MixValues = KernelOf<Mixing>;
