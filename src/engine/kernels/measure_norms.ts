import code from "../../../shaders/measure_norms.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { PROMPT } from "./prompt.ts";

const WORKGROUP = wgslConstant(code, "WORKGROUP");

/** The vector whose norm is measured: each head's part, their sum, or the sum with the residual stream. */
export type NormKind = "apart" | "together" | "residual";
const KINDS: Record<NormKind, number> = { apart: 0, together: 1, residual: 2 };

/** The sizes that it is compiled for. */
export interface MeasureNormsShape {
  readonly heads: number;
  /** H, or H + 1 with the residual stream. */
  readonly vectors: number;
  readonly kind: NormKind;
}

/** Norms of what targets take from sources, see `shaders/measure_norms.wgsl`. */
export const MeasureNorms = defineKernel({
  name: "measure_norms",
  code,
  constants: ({ heads, vectors, kind }: MeasureNormsShape) => ({
    HEADS: heads,
    VECTORS: vectors,
    KIND: KINDS[kind],
  }),
  groups: [{ gram: "read" }, PROMPT, { patterns: "readAt" }, { matrix: "readWriteAt" }],
  workgroups: (
    { tokens }: { readonly tokens: number },
  ) => [Math.ceil((tokens + 3) / WORKGROUP), tokens],
});
export type MeasureNorms = KernelOf<typeof MeasureNorms>;
