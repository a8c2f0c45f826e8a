import type { Activation } from "../../engine/kernels/linear.ts";

/** The sizes of a GPT-2 and the options that change what it computes. */
export interface Architecture {
  /** L */
  readonly layers: number;
  /** H */
  readonly heads: number;
  /** C, the width of the residual stream. */
  readonly channels: number;
  /** D = C / H */
  readonly headSize: number;
  /** The width of the MLP's hidden layer. */
  readonly inner: number;
  /** The most tokens of a prompt, BOS among them. */
  readonly context: number;
  /** V */
  readonly vocabulary: number;
  /** What layer norm adds to the variance. */
  readonly epsilon: number;
  readonly activation: Activation;
  /** Whether the unembedding is the embedding; otherwise it is a matrix of its own, `lm_head`. */
  readonly isTied: boolean;
  /** What the scores of each layer are multiplied by, before the softmax. */
  readonly scales: readonly number[];
}

type Config = Readonly<Record<string, unknown>>;

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
 * Reads a Hugging Face `config.json` of a GPT-2.
 *
 * `scale_attn_weights`, `scale_attn_by_inverse_layer_idx` and `reorder_and_upcast_attn` are honoured: the first two
 * make {@linkcode Architecture.scales}, the third changes the order of float16 operations only, and everything here
 * is float32.
 *
 * @param text The file's text.
 * @throws {SyntaxError} If it is not a JSON object.
 * @throws {RangeError} If it describes a model that Infoflow can't run right; the text names the option.
 */
export function parseArchitecture(text: string): Architecture {
  const config = parseObject(text);
  expect(config, "model_type", ["gpt2"], undefined);
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
    context: context(config),
    vocabulary: size(config, "vocab_size", 1),
    epsilon: epsilon(config),
    activation,
    isTied,
    scales: Array.from({ length: layers }, (_, layer) => byLayer ? scale / (layer + 1) : scale),
  };
}

/**
 * Reads the id of the token that a model was trained to see first from its `config.json`.
 *
 * @returns Undefined if it says none.
 * @throws {SyntaxError} If it is not a JSON object.
 * @throws {RangeError} If it is no id.
 */
export function parseBosId(text: string): number | undefined {
  const id = parseObject(text).bos_token_id;
  if (id === undefined || id === null) return undefined;
  if (Number.isInteger(id) && (id as number) >= 0) return id as number;
  throw refused("bos_token_id", "must be the id of a token", id);
}

function parseObject(text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError("Cannot read config.json as it is not JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError("Cannot read config.json as it must be a JSON object");
  }
  return value as Config;
}

/** The name that a config uses, GPT-2's own if it uses none. */
function nameOf(config: Config, names: readonly [string, ...string[]]): string {
  return names.find((name) => name in config) ?? names[0];
}

function refused(name: string, rule: string, value: unknown): RangeError {
  return new RangeError(
    `Cannot run this model as ${name} of config.json ${rule}: current value is ${
      JSON.stringify(value)
    }`,
  );
}

function expect<T>(config: Config, name: string, allowed: readonly T[], missing: T | undefined): T {
  const value = config[name] ?? missing;
  if (!allowed.includes(value as T)) {
    throw refused(name, `must be ${allowed.map((it) => JSON.stringify(it)).join(" or ")}`, value);
  }
  return value as T;
}

/** Larger sizes than anybody's GPT-2: what is beyond them is a broken file, not a model. */
const LARGEST = 2 ** 24;

function size(config: Config, name: string, multipleOf: number): number {
  const value = config[name];
  if (
    typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > LARGEST ||
    value % multipleOf !== 0
  ) {
    const kind = multipleOf === 1 ? "a positive integer" : `a positive multiple of ${multipleOf}`;
    throw refused(name, `must be ${kind}`, value);
  }
  return value;
}

function context(config: Config): number {
  const name = nameOf(config, NAMES.context);
  const value = size(config, name, 1);
  if (value < 2) throw refused(name, "must leave room for BOS and a token", value);
  return value;
}

function epsilon(config: Config): number {
  const value = config.layer_norm_epsilon ?? 1e-5;
  if (typeof value !== "number" || !(value > 0 && value < 1)) {
    throw refused("layer_norm_epsilon", "must lie between 0 and 1", value);
  }
  return value;
}
