import code from "../../../shaders/head_gram.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";

/** The sizes that it is compiled for. */
export interface HeadGramShape {
  readonly heads: number;
  readonly channels: number;
  /** H, or H + 1 with the residual stream. */
  readonly vectors: number;
}

/** Scalar products of head outputs, see `shaders/head_gram.wgsl`. */
export const HeadGram = defineKernel({
  name: "head_gram",
  code,
  constants: ({ heads, channels, vectors }: HeadGramShape) => ({
    C4: channels / 4,
    HEADS: heads,
    VECTORS: vectors,
  }),
  groups: [{ f: "readTextures", x: "readTexture", gram: "readWrite" }],
  workgroups: ({ tokens }: { readonly tokens: number }) => [tokens],
});
export type HeadGram = KernelOf<typeof HeadGram>;
