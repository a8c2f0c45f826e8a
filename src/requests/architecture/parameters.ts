import type { Architecture } from "./architecture.ts";

/** A tensor of a GPT-2 checkpoint. */
export interface Parameter {
  /** Its name in Hugging Face's layout, without the prefix `transformer.`. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** The unembedding, of a model that has one beside `wte`. It never has the prefix of the others. */
export const UNEMBEDDING = "lm_head.weight";

/** The tensors outside the layers, embeddings first. */
export function sharedParameters(architecture: Architecture): Parameter[] {
  const { channels: C, context, vocabulary: V } = architecture;
  return [
    { name: "wte.weight", shape: [V, C] },
    { name: "wpe.weight", shape: [context, C] },
    ...(architecture.isTied ? [] : [{ name: UNEMBEDDING, shape: [V, C] }]),
    { name: "ln_f.weight", shape: [C] },
    { name: "ln_f.bias", shape: [C] },
  ];
}

/** The tensors of one layer. Weights are stored inputs x outputs; queries, keys and values are side by side. */
export function layerParameters(architecture: Architecture, layer: number): Parameter[] {
  const { channels: C, inner } = architecture;
  const h = `h.${layer}`;
  return [
    { name: `${h}.ln_1.weight`, shape: [C] },
    { name: `${h}.ln_1.bias`, shape: [C] },
    { name: `${h}.attn.c_attn.weight`, shape: [C, 3 * C] },
    { name: `${h}.attn.c_attn.bias`, shape: [3 * C] },
    { name: `${h}.attn.c_proj.weight`, shape: [C, C] },
    { name: `${h}.attn.c_proj.bias`, shape: [C] },
    { name: `${h}.ln_2.weight`, shape: [C] },
    { name: `${h}.ln_2.bias`, shape: [C] },
    { name: `${h}.mlp.c_fc.weight`, shape: [C, inner] },
    { name: `${h}.mlp.c_fc.bias`, shape: [inner] },
    { name: `${h}.mlp.c_proj.weight`, shape: [inner, C] },
    { name: `${h}.mlp.c_proj.bias`, shape: [C] },
  ];
}
