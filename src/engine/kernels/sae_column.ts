import code from "../../../shaders/sae_column.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";

/** The members of `struct SaeColumn`: a feature, and where its column is in the encoder's texture. */
export const SAE_COLUMN_MEMBERS = ["feature", "column", "pitch"] as const;

/** A column of an encoder, see `shaders/sae_column.wgsl`. */
export const SaeColumn = defineKernel({
  name: "sae_column",
  code,
  constants: ({ channels, centred }: { readonly channels: number; readonly centred: boolean }) => ({
    C4: channels / 4,
    CENTRED: Number(centred),
  }),
  groups: [
    { encoder: "readTexture", bias: "read", decisions: "read", w: "readWrite" },
    { column: "uniformAt" },
  ],
  workgroups: (_work: void) => [1],
});
export type SaeColumn = KernelOf<typeof SaeColumn>;
