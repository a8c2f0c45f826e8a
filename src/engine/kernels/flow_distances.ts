import code from "../../../shaders/flow_distances.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";
import { PROMPT } from "./prompt.ts";

/** Sums of flow by distance over many prompts, see `shaders/flow_distances.wgsl`. */
export const FlowDistances = defineKernel({
  name: "flow_distances",
  code,
  groups: [{ mean: "read", sums: "readWrite" }, PROMPT],
  workgroups: ({ layers }: { readonly layers: number }) => [layers],
});
export type FlowDistances = KernelOf<typeof FlowDistances>;
