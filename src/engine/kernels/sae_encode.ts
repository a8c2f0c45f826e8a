import code from "../../../shaders/sae_encode.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";

const ROWS = wgslConstant(code, "TALL");
/** Columns of a block of the encoder, and inputs side by side in a row of its texture. */
export const ENCODER_BLOCK = 4 * wgslConstant(code, "COLUMNS");
export const ENCODER_INPUTS = 4 * wgslConstant(code, "INPUTS");

/** The members of `struct EncodePart`: a block of rows and of the encoder's columns. */
export const ENCODE_PART_MEMBERS = [
  "rows",
  "row",
  "position",
  "inputs",
  "pitch",
  "feature",
  "end",
  "features",
  "capacity",
] as const;

/** The active features, see `shaders/sae_encode.wgsl`. */
export const SaeEncode = defineKernel({
  name: "sae_encode",
  code,
  constants: ({ dense }: { readonly dense: boolean }) => ({ DENSE: Number(dense) }),
  groups: [
    { u: "readTexture", found: "readWrite", listed: "readWrite" },
    { w: "readTexture", decisions: "read" },
    { part: "uniformAt" },
  ],
  workgroups: ({ rows, columns }: { readonly rows: number; readonly columns: number }) => [
    Math.ceil(rows / ROWS),
    Math.ceil(columns / ENCODER_BLOCK),
  ],
});
export type SaeEncode = KernelOf<typeof SaeEncode>;
