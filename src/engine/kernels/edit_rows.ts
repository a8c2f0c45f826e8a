import code from "../../../shaders/edit_rows.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";

const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** What `rows` says of positions that stay as they are. */
export const UNCHANGED = 0xffffffff;

/** What is done to positions and heads, by the shader's numbers; BLOCK is for scores. */
export const EDIT_ACTIONS = { ZERO: 0, SCALE: 1, ADD: 2, REPLACE: 3, BLOCK: 4 } as const;

/** Rows of a site changed on the way, see `shaders/edit_rows.wgsl`. */
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
