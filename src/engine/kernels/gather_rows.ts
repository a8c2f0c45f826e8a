import code from "../../../shaders/gather_rows.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";

const LANES = wgslConstant(code, "LANES");

/** Copies rows of activations to other rows, see `shaders/gather_rows.wgsl`. */
export const GatherRows = defineKernel({
  name: "gather_rows",
  code,
  constants: ({ channels }: { readonly channels: number }) => ({ C4: channels / 4 }),
  groups: [{ x: "readTexture", y: "writeTexture" }, { sources: "readAt" }],
  workgroups: ({ rows }: { readonly rows: number }, { C4 }) => [Math.ceil(C4 / LANES), rows],
});
export type GatherRows = KernelOf<typeof GatherRows>;
