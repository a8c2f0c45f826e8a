import code from "../../../shaders/edit_rows.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";

const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** The entry of `rows` for an unchanged position. */
export const UNCHANGED = 0xffffffff;

/** The shader's numbers of the actions; BLOCK is for scores. */
export const EDIT_ACTIONS = { ZERO: 0, SCALE: 1, ADD: 2, REPLACE: 3, BLOCK: 4 } as const;

/** Changes rows of a site, see `shaders/edit_rows.wgsl`. */
export const EditRows = defineKernel({
  name: "edit_rows",
  code,
  groups: [{
    edit: "uniform",
    rows: "read",
    heads: "read",
    x: "readTexture",
    s: "readTexture",
    y: "writeTexture",
  }],
  workgroups: ({ texels, rows }: { readonly texels: number; readonly rows: number }) => [
    Math.ceil(texels / WORKGROUP),
    rows,
  ],
});
export type EditRows = KernelOf<typeof EditRows>;
