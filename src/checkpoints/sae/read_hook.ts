import { shown } from "../../errors.ts";
import type { SaeSite } from "../../requests/sae/sae_config.ts";

const SITES: Readonly<Record<string, SaeSite>> = {
  hook_resid_pre: "RESID_PRE",
  hook_resid_mid: "RESID_MID",
  hook_resid_post: "RESID_POST",
  hook_attn_out: "ATTN_OUT",
  hook_mlp_out: "MLP_OUT",
  "attn.hook_z": "Z",
};

/**
 * Reads TransformerLens' name of an activation, such as `blocks.8.hook_resid_pre`.
 *
 * @param isTranscoder Whether what reads the activation is a transcoder, which stands in for an MLP.
 * @throws {RangeError} If activations of that name are not read.
 */
export function readHook(
  hook: string,
  isTranscoder: boolean,
): { readonly site: SaeSite; readonly layer: number } {
  const [, layer, name] = hook.match(/^blocks\.(\d{1,4})\.(.+)$/) ?? [];
  const names = isTranscoder ? ["ln2.hook_normalized"] : Object.keys(SITES);
  if (layer === undefined || name === undefined || !names.includes(name)) {
    throw new RangeError(
      `Cannot read the autoencoder as its hook must be blocks.N. and ${
        names.join(" or ")
      }: current value is ${shown(hook)}`,
    );
  }
  return { site: isTranscoder ? "LN2_NORMALIZED" : SITES[name]!, layer: Number(layer) };
}
