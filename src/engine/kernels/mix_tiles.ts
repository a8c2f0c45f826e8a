import code from "../../../shaders/mix_tiles.wgsl" with { type: "text" };
import { defineKernel } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import type { AttentionShape } from "./attention_pattern.ts";
import { type Mixing, MIXING_GROUPS } from "./mix_values.ts";

const ROWS = wgslConstant(code, "ROWS");
const COLUMNS = wgslConstant(code, "COLUMNS");

/** z = A v for every head, on GPUs, see `shaders/mix_tiles.wgsl`. */
export const MixTiles: Mixing = defineKernel({
  name: "mix_tiles",
  code,
  constants: ({ heads, channels }: AttentionShape) => ({
    C4: channels / 4,
    D4: channels / heads / 4,
  }),
  groups: MIXING_GROUPS,
  workgroups: (
    { targets }: { readonly targets: number },
    { C4, D4 },
  ) => [Math.ceil(targets / ROWS), C4 / D4, Math.ceil(D4 / COLUMNS)],
});
