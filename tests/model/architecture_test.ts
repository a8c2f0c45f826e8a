import assert from "node:assert/strict";
import { parseArchitecture } from "../../src/requests/architecture/families.ts";

const CONFIG = {
  model_type: "gpt2",
  activation_function: "gelu_new",
  n_layer: 2,
  n_head: 3,
  n_embd: 24,
  n_positions: 16,
  vocab_size: 100,
};

function parse(changes: Record<string, unknown> = {}): ReturnType<typeof parseArchitecture> {
  return parseArchitecture(JSON.stringify({ ...CONFIG, ...changes }));
}

Deno.test("parseArchitecture() reads the sizes, and GPT-2's defaults for what is not there", () => {
  const scale = 1 / Math.sqrt(8);
  assert.deepEqual(parse(), {
    layers: 2,
    heads: 3,
    channels: 24,
    headSize: 8,
    inner: 96,
    context: 16,
    vocabulary: 100,
    epsilon: 1e-5,
    activation: "gelu_new",
    isTied: true,
    scales: [scale, scale],
  });
});

Deno.test("parseArchitecture() honours the options that change attention", () => {
  assert.deepEqual(parse({ scale_attn_weights: false }).scales, [1, 1]);
  const scale = 1 / Math.sqrt(8);
  assert.deepEqual(parse({ scale_attn_by_inverse_layer_idx: true }).scales, [scale, scale / 2]);
  assert.deepEqual(parse({ reorder_and_upcast_attn: true }).scales, [scale, scale]);
});

Deno.test("parseArchitecture() reads n_inner, layer_norm_epsilon, and n_ctx of old files", () => {
  assert.equal(parse({ n_inner: 40 }).inner, 40);
  assert.equal(parse({ n_inner: null }).inner, 96);
  assert.equal(parse({ layer_norm_epsilon: 1e-6 }).epsilon, 1e-6);
  const { n_positions: _, ...old } = CONFIG;
  assert.equal(parseArchitecture(JSON.stringify({ ...old, n_ctx: 20 })).context, 20);
});

Deno.test("parseArchitecture() knows the activations of the family, by all their names", () => {
  const activationOf = (name: string): string => parse({ activation_function: name }).activation;
  const names = {
    gelu_new: ["gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate"],
    gelu: ["gelu", "gelu_python"],
    relu: ["relu"],
    silu: ["silu", "swish"],
    tanh: ["tanh"],
  };
  for (const [activation, all] of Object.entries(names)) {
    for (const name of all) assert.equal(activationOf(name), activation);
  }
});

Deno.test("parseArchitecture() takes sizes under the names that other models have", () => {
  const { n_layer, n_head, n_embd, n_positions, ...others } = CONFIG;
  const common = {
    ...others,
    num_hidden_layers: n_layer,
    num_attention_heads: n_head,
    hidden_size: n_embd,
    max_position_embeddings: n_positions,
  };
  assert.deepEqual(parseArchitecture(JSON.stringify(common)), parse());
  assert.throws(() => parseArchitecture(JSON.stringify({ ...common, hidden_size: 30 })), {
    message: /hidden_size of config\.json must be a positive multiple of 4: current value is 30/,
  });
});

Deno.test("parseArchitecture() reads whether the unembedding is the embedding", () => {
  assert.equal(parse({ tie_word_embeddings: true }).isTied, true);
  assert.equal(parse({ tie_word_embeddings: false }).isTied, false);
});

const REFUSED: [name: string, change: Record<string, unknown>, message: RegExp][] = [
  [
    "another kind of model",
    { model_type: "gptj" },
    /model_type .* must be "gpt2": current value is "gptj"/,
  ],
  [
    "another activation",
    { activation_function: "mish" },
    /activation_function .* "gelu_new" or .* "relu" .*: current value is "mish"/,
  ],
  ["cross attention", { add_cross_attention: true }, /add_cross_attention .* must be false/],
  [
    "quantised weights",
    { quantization_config: { bits: 4 } },
    /quantization_config .* must be null/,
  ],
  [
    "an option of another type",
    { scale_attn_weights: "no" },
    /scale_attn_weights .* true or false/,
  ],
  [
    "heads that don't divide the channels",
    { n_head: 5 },
    /n_embd .* divisible by n_head, which is 5: .* 24/,
  ],
  ["heads of an odd size", { n_head: 4 }, /n_embd \/ n_head .* multiple of 4: current value is 6/],
  [
    "channels that are no multiple of 4",
    { n_embd: 30 },
    /n_embd .* multiple of 4: current value is 30/,
  ],
  ["no layers", { n_layer: 0 }, /n_layer .* positive integer: current value is 0/],
  ["a fraction", { vocab_size: 1.5 }, /vocab_size .* positive integer: current value is 1.5/],
  ["a number as text", { n_layer: "2" }, /n_layer .* positive integer: current value is "2"/],
  ["a size beyond reason", { n_embd: 2 ** 30 }, /n_embd/],
  ["no room for a token", { n_positions: 1 }, /n_positions .* room for BOS/],
  ["a missing size", { n_layer: undefined }, /n_layer .* current value is undefined/],
  [
    "an epsilon of 0",
    { layer_norm_epsilon: 0 },
    /layer_norm_epsilon .* between 0 and 1: current value is 0/,
  ],
];

for (const [name, change, message] of REFUSED) {
  Deno.test(`parseArchitecture() refuses ${name} by its name`, () => {
    assert.throws(() => parse(change), { name: "RangeError", message });
  });
}

Deno.test("parseArchitecture() refuses what is no JSON object", () => {
  assert.throws(() => parseArchitecture("{"), { name: "SyntaxError", message: /is not JSON/ });
  assert.throws(() => parseArchitecture("[]"), { name: "SyntaxError", message: /a JSON object/ });
  assert.throws(() => parseArchitecture("null"), { name: "SyntaxError", message: /a JSON object/ });
});
