// Models of other shapes and options than those of the reference data, against the float64 reference.
import assert from "node:assert/strict";
import { createEngine } from "../../src/thread/create_engine.ts";
import { parseArchitecture } from "../../src/requests/architecture/families.ts";
import { forward } from "../reference/gpt2.ts";
import { assertClose } from "../support/assert_close.ts";
import { withDefaultLimits } from "../support/default_limits.ts";
import { TINY } from "../support/fixtures.ts";
import { Random } from "../support/random.ts";
import { randomModel } from "../support/random_model.ts";
import { withCheckpoint } from "../support/write_checkpoint.ts";

const BASE = {
  model_type: "gpt2",
  activation_function: "gelu_new",
  n_layer: 3,
  n_head: 3,
  n_embd: 36,
  n_inner: 100,
  n_positions: 33,
  vocab_size: 57,
};

const MODELS: Record<string, Record<string, unknown>> = {
  "heads of 12, 36 channels, 100 hidden": {},
  "one head of 4": { n_head: 1, n_embd: 4, n_inner: null },
  "heads of 64, more channels than a tile is wide": { n_head: 3, n_embd: 192, n_layer: 2 },
  "one layer": { n_layer: 1 },
  "no scaling of scores": { scale_attn_weights: false },
  "scores scaled by layer": { scale_attn_by_inverse_layer_idx: true },
  "attention reordered and upcast": { reorder_and_upcast_attn: true },
  "another epsilon": { layer_norm_epsilon: 0.1 },
  "gpt2-xl's width and heads": { n_head: 25, n_embd: 1600, n_inner: 6400, n_layer: 2 },
  "gpt2-xl's layers": { n_layer: 48 },
};

for (const [name, changes] of Object.entries(MODELS)) {
  Deno.test(`an engine runs a model with ${name}`, async () => {
    const config = { ...BASE, ...changes };
    const tensors = randomModel(config, 11);
    const architecture = parseArchitecture(JSON.stringify(config));
    const weights = new Map(
      [...tensors].map(([key, { bytes }]) => [key, new Float32Array(bytes.slice().buffer)]),
    );
    await withCheckpoint({ config, tensors }, async (directory) => {
      const engine = await createEngine({ directory, cacheBytes: 0 });
      try {
        for (const tokens of [1, 2, 17, 33]) {
          const random = new Random(tokens);
          const ids = Array.from({ length: tokens }, () => random.below(57));
          const traces = forward(architecture, weights, ids);
          const expected = traces.flatMap(({ patterns }) => Array.from(patterns));
          // Float32 against float64, through 3 layers. Measured: 3e-6; 2.9e-5 where scores are not scaled, which are
          // sqrt(12) times as large there, in each layer.
          const atol = changes.scale_attn_weights === false ? 1e-4 : 1e-5;
          assertClose(await engine.patterns(ids), expected, { atol });
        }
      } finally {
        engine.destroy();
      }
    });
  });
}

Deno.test("an engine runs on a device with WebGPU's default limits", async () => {
  const expected = await patternsOfTiny();
  await withDefaultLimits(async () => assert.deepEqual(await patternsOfTiny(), expected));
});

async function patternsOfTiny(): Promise<Float32Array> {
  const engine = await createEngine({ directory: TINY, cacheBytes: 0 });
  try {
    return await engine.patterns(Array.from({ length: 67 }, (_, t) => (7 * t) % 331));
  } finally {
    engine.destroy();
  }
}
