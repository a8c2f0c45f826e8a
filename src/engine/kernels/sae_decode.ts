import code from "../../../shaders/sae_decode.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";

/**
 * The members of `struct SaeDecode`: the rows of this part of the decoder, and whether it is the first and the last
 * part.
 */
export const SAE_DECODE_MEMBERS = ["first", "end", "is_first", "is_last"] as const;

/** The reconstruction of activations, and its error, see `shaders/sae_decode.wgsl`. */
export const SaeDecode = defineKernel({
  name: "sae_decode",
  code,
  constants: ({ channels, centred }: { readonly channels: number; readonly centred: boolean }) => ({
    C4: channels / 4,
    CENTRED: Number(centred),
  }),
  groups: [
    {
      y: "readTexture",
      shift: "read",
      bias: "read",
      scales: "read",
      offsets: "read",
      listed: "read",
      recon: "readWrite",
      error: "readWrite",
    },
    { decoder: "read" },
    { part: "uniformAt" },
  ],
  workgroups: ({ rows }: { readonly rows: number }) => [rows],
});
export type SaeDecode = KernelOf<typeof SaeDecode>;
