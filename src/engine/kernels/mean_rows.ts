import code from "../../../shaders/mean_rows.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";

const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** The members of `struct Positions`. */
export const POSITIONS_MEMBERS = ["first", "end"] as const;

/** The mean of some rows of a texture, see `shaders/mean_rows.wgsl`. */
export const MeanRows = defineKernel({
  name: "mean_rows",
  code,
  constants: ({ channels }: { readonly channels: number }) => ({ C4: channels / 4 }),
  groups: [{ positions: "uniform", x: "readTexture", y: "writeTexture" }],
  workgroups: (_: unknown, { C4 }) => [Math.ceil(C4 / WORKGROUP)],
});
export type MeanRows = KernelOf<typeof MeanRows>;
