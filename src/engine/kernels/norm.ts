import code from "../../../shaders/norm.wgsl" with { type: "text" };
import { defineKernel, type KernelDefinition, type KernelOf } from "../gpu/define_kernel.ts";

/** The sizes that it is compiled for. */
export interface NormShape {
  readonly channels: number;
  readonly epsilon: number;
}

const GROUPS = [{ x: "readTexture", affine: "readTexture", y: "writeTexture" }] as const;

/** A way of computing layer norms; each suits some devices. */
export interface Norming
  extends KernelDefinition<NormShape, typeof GROUPS, { readonly rows: number }> {}

/** Declares a shader of layer norms, whose workgroups make `tall` rows. */
export function defineNorm(name: string, code: string, tall: number): Norming {
  return defineKernel({
    name,
    code,
    constants: ({ channels, epsilon }: NormShape) => ({ C4: channels / 4, EPSILON: epsilon }),
    groups: GROUPS,
    workgroups: ({ rows }: { readonly rows: number }) => [Math.ceil(rows / tall)],
  });
}

/** Layer norm on GPUs, see `shaders/norm.wgsl`. */
export const Norm: Norming = defineNorm("norm", code, 1);
export type Norm = KernelOf<Norming>;
