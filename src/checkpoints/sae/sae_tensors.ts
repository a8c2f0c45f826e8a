import type { SaeConfig } from "../../requests/sae/sae_config.ts";

/** The tensors of autoencoders, by SAELens' names. */
export type SaeTensor =
  | "W_enc"
  | "W_dec"
  | "b_enc"
  | "b_dec"
  | "b_gate"
  | "b_mag"
  | "r_mag"
  | "threshold";

/** The tensors that an autoencoder must have, and their shapes. */
export function saeTensors(
  { architecture, inputs, outputs, features }: SaeConfig,
): Partial<Record<SaeTensor, readonly number[]>> {
  const of: readonly number[] = [features];
  return {
    W_enc: [inputs, features],
    W_dec: [features, outputs],
    b_dec: [outputs],
    ...(architecture === "gated" ? { b_gate: of, b_mag: of, r_mag: of } : { b_enc: of }),
    ...(architecture === "jumprelu" ? { threshold: of } : {}),
  };
}
