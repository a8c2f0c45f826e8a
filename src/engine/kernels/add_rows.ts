import code from "../../../shaders/add_rows.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";

const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** The sum of two textures of rows, see `shaders/add_rows.wgsl`. */
export const AddRows = defineKernel({
  name: "add_rows",
  code,
  constants: ({ channels }: { readonly channels: number }) => ({ C4: channels / 4 }),
  groups: [{ a: "readTexture", b: "readTexture", y: "writeTexture" }],
  workgroups: ({ rows }: { readonly rows: number }, { C4 }) => [Math.ceil(C4 / WORKGROUP), rows],
});
export type AddRows = KernelOf<typeof AddRows>;
