import code from "../../../shaders/flow.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { PROMPT } from "./prompt.ts";

/** How layers are combined: each stays by itself, or all become one matrix. */
export type Aggregate = "layers" | "mean" | "notebook" | "last";

/** Their numbers in the shader. */
export const AGGREGATES: Record<Aggregate, number> = { layers: 0, mean: 1, notebook: 2, last: 3 };

/** Rows of flow from packed triangles, see `shaders/flow.wgsl`. */
export const Flow = defineKernel({
  name: "flow",
  code,
  groups: [{ matrix: "read", mean: "read", flows: "readWrite" }, PROMPT],
  workgroups: (
    { targets, matrices }: { readonly targets: number; readonly matrices: number },
  ) => [targets, matrices],
});
export type Flow = KernelOf<typeof Flow>;
