import type { Activation, Architecture } from "./architecture.ts";
import { type Config, expect, nameOf, refused, size } from "./config.ts";
import type { Family, LayerPart, Tensors } from "./family.ts";

/** GPT-2 (Radford et al. 2019), as Hugging Face's `GPT2LMHeadModel` has it. */
export const GPT2: Family = { modelType: "gpt2", architectureOf, tensorsOf };

/** Weights are stored inputs x outputs; queries, keys and values are side by side. */
function tensorsOf(architecture: Architecture): Tensors {
  const { channels: C, context, inner, layers, vocabulary: V, activation, isTied } = architecture;
  const part = (
    name: LayerPart["name"],
    stem: string,
    shape: readonly number[],
    epilogue?: LayerPart["epilogue"],
  ): LayerPart => ({
    name,
    epilogue,
    weight: { name: `${stem}.weight`, shape },
    bias: { name: `${stem}.bias`, shape: shape.slice(-1) },
  });
  return {
    tokens: { name: "wte.weight", shape: [V, C] },
    positions: { name: "wpe.weight", shape: [context, C] },
    unembedding: isTied ? undefined : { name: UNEMBEDDING, shape: [V, C] },
    layers: Array.from({ length: layers }, (_, layer) => [
      part("norm1", `h.${layer}.ln_1`, [C]),
      part("attentionIn", `h.${layer}.attn.c_attn`, [C, 3 * C], "store"),
      part("attentionOut", `h.${layer}.attn.c_proj`, [C, C], "add"),
      part("norm2", `h.${layer}.ln_2`, [C]),
      part("mlpIn", `h.${layer}.mlp.c_fc`, [C, inner], activation),
      part("mlpOut", `h.${layer}.mlp.c_proj`, [inner, C], "add"),
    ]),
    finalNorm: {
      weight: { name: "ln_f.weight", shape: [C] },
      bias: { name: "ln_f.bias", shape: [C] },
    },
  };
}

/** The unembedding, of a model that has one beside `wte`. It never has the prefix of the others. */
export const UNEMBEDDING = "lm_head.weight";

/** What `activation_function` may be; some names mean the same function. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu_new: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  gelu_python_tanh: "gelu_new",
  gelu_accurate: "gelu_new",
  gelu_fast: "gelu_new",
  gelu: "gelu",
  gelu_python: "gelu",
  relu: "relu",
  silu: "silu",
  swish: "silu",
  tanh: "tanh",
};

/** Sizes that transformers takes under two names for a GPT-2, its own first; others it has under one. */
const NAMES = {
  layers: ["n_layer", "num_hidden_layers"],
  heads: ["n_head", "num_attention_heads"],
  channels: ["n_embd", "hidden_size"],
  context: ["n_positions", "max_position_embeddings", "n_ctx"],
} as const;

/**
 * Reads the `config.json` of a GPT-2.
 *
 * `scale_attn_weights`, `scale_attn_by_inverse_layer_idx` and `reorder_and_upcast_attn` are honoured: the first two
 * make {@linkcode Architecture.scales}, the third changes the order of float16 operations only, and everything here
 * is float32.
 *
 * @throws {RangeError} If it describes a model that Infoflow can't run right; the text names the option.
 */
function architectureOf(config: Config): Architecture {
  const names = Object.keys(ACTIVATIONS);
  const activation = ACTIVATIONS[expect(config, "activation_function", names, "gelu_new")]!;
  expect(config, "add_cross_attention", [false], false);
  expect(config, "quantization_config", [null], null);
  const isTied = expect(config, "tie_word_embeddings", [true, false], true);
  const scaled = expect(config, "scale_attn_weights", [true, false], true);
  const byLayer = expect(config, "scale_attn_by_inverse_layer_idx", [true, false], false);
  expect(config, "reorder_and_upcast_attn", [true, false], false);

  const layers = size(config, nameOf(config, NAMES.layers), 1);
  const headsName = nameOf(config, NAMES.heads);
  const heads = size(config, headsName, 1);
  const channelsName = nameOf(config, NAMES.channels);
  const channels = size(config, channelsName, 4);
  if (channels % heads !== 0) {
    throw refused(channelsName, `must be divisible by ${headsName}, which is ${heads}`, channels);
  }
  const headSize = channels / heads;
  if (headSize % 4 !== 0) {
    throw refused(`${channelsName} / ${headsName}`, "must be a multiple of 4", headSize);
  }

  const scale = scaled ? 1 / Math.sqrt(headSize) : 1;
  return {
    layers,
    heads,
    channels,
    headSize,
    inner: config.n_inner === null || config.n_inner === undefined
      ? 4 * channels
      : size(config, "n_inner", 4),
    context: contextOf(config),
    vocabulary: size(config, "vocab_size", 1),
    epsilon: epsilonOf(config),
    activation,
    isTied,
    scales: Array.from({ length: layers }, (_, layer) => byLayer ? scale / (layer + 1) : scale),
  };
}

function contextOf(config: Config): number {
  const name = nameOf(config, NAMES.context);
  const value = size(config, name, 1);
  if (value < 2) throw refused(name, "must leave room for BOS and a token", value);
  return value;
}

function epsilonOf(config: Config): number {
  const value = config.layer_norm_epsilon ?? 1e-5;
  if (typeof value !== "number" || !(value > 0 && value < 1)) {
    throw refused("layer_norm_epsilon", "must lie between 0 and 1", value);
  }
  return value;
}
