import code from "../../../shaders/norm.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";

/** The sizes that it is compiled for. */
export interface NormShape {
  readonly channels: number;
  readonly epsilon: number;
}

/** Layer norm, see `shaders/norm.wgsl`. */
export const Norm = defineKernel({
  name: "norm",
  code,
  constants: ({ channels, epsilon }: NormShape) => ({ C4: channels / 4, EPSILON: epsilon }),
  groups: [{ x: "readTexture", gain: "read", bias: "read", y: "writeTexture" }],
  workgroups: ({ rows }: { readonly rows: number }) => [rows],
});
export type Norm = KernelOf<typeof Norm>;
