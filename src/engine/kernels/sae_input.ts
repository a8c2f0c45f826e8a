import code from "../../../shaders/sae_input.wgsl" with { type: "text" };
import { defineKernel, type KernelOf } from "../gpu/define_kernel.ts";

/** What is subtracted from an activation, and what it is divided by. */
export interface SaeInputSteps {
  /** n */
  readonly channels: number;
  readonly centred: boolean;
  readonly norm: "none" | "layer_norm" | "constant_norm" | "model_norm";
  /** Of the model's layer norms. */
  readonly epsilon: number;
}

/** As the shader numbers them. */
const NORMS: Record<SaeInputSteps["norm"], number> = {
  none: 0,
  layer_norm: 1,
  constant_norm: 2,
  model_norm: 3,
};

/** The members of `struct SaeRows`. */
export const SAE_ROWS_MEMBERS = ["first", "row", "place"] as const;

/** Converts activations for an autoencoder, see `shaders/sae_input.wgsl`. */
export const SaeInput = defineKernel({
  name: "sae_input",
  code,
  constants: ({ channels, centred, norm, epsilon }: SaeInputSteps) => ({
    C4: channels / 4,
    CENTRED: Number(centred),
    NORM: NORMS[norm],
    EPSILON: epsilon,
  }),
  groups: [
    { x: "readTexture", shift: "read", bias: "read", u: "writeTexture", scales: "readWrite" },
    { rows: "uniformAt" },
  ],
  workgroups: ({ rows }: { readonly rows: number }) => [rows],
});
export type SaeInput = KernelOf<typeof SaeInput>;
