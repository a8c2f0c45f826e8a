import code from "../../../shaders/measure_turns.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";

/** How much a layer's output turns without a source, see `shaders/measure_turns.wgsl`. */
export const MeasureTurns = defineKernel({
  name: "measure_turns",
  code,
  constants: ({ channels }: { readonly channels: number }) => ({ C4: channels / 4 }),
  groups: [
    { pairs: "read", z: "readTexture", y: "readTexture" },
    { block: "uniformAt" },
    { matrix: "readWriteAt" },
  ],
  workgroups: ({ rows }: { readonly rows: number }) => [rows],
});
export type MeasureTurns = KernelOf<typeof MeasureTurns>;
