// Checkpoints with the options that fine-tunes of GPT-2 have, as transformers saved them, against the patterns that
// transformers computed (tests/make_architectures.py).
import assert from "node:assert/strict";
import { join } from "node:path";
import { createEngine } from "../../src/thread/create_engine.ts";
import { assertClose } from "../support/assert_close.ts";
import { FIXTURES, readReference } from "../support/fixtures.ts";

/** The options that change what a model computes, and what they would be in a config that does not name them. */
const OPTIONS: Record<string, Record<string, unknown>> = {
  gelu: { activation_function: "gelu_new" },
  relu: { activation_function: "gelu_new" },
  inverse_layer_scale: { scale_attn_by_inverse_layer_idx: false },
  unscaled: { scale_attn_weights: true },
  epsilon: { layer_norm_epsilon: 1e-5 },
};

/** Which checkpoints there are, and how far float32 may be from float32 there. */
const TOLERANCES: Record<string, number> = {
  gelu: 1e-5,
  relu: 1e-5,
  inverse_layer_scale: 1e-5,
  // Scores are 1 / scale = sqrt(8) times as large, and so are their errors.
  unscaled: 1e-4,
  reordered_upcast: 1e-5,
  epsilon: 1e-5,
  inner: 1e-5,
  vocabulary: 1e-5,
  // Errors add up over 48 layers.
  deep: 1e-4,
  sharded: 1e-5,
  float16: 1e-5,
  bfloat16: 1e-5,
  sharded_float16: 1e-5,
};

async function patternsOf(directory: string, ids: readonly number[]): Promise<Float32Array> {
  const engine = await createEngine({ directory, cacheBytes: 0 });
  try {
    return await engine.patterns(ids);
  } finally {
    engine.destroy();
  }
}

for (const [name, atol] of Object.entries(TOLERANCES)) {
  Deno.test(`an engine runs transformers' checkpoint ${name} as transformers does`, async () => {
    const directory = new URL(`architectures/${name}/`, FIXTURES).pathname;
    const { ids, tensors } = await readReference(`architectures/${name}/patterns`);
    const expected = tensors.get("patterns")!;
    assertClose(await patternsOf(directory, ids), expected, { atol });
  });
}

for (const [name, change] of Object.entries(OPTIONS)) {
  Deno.test(`checkpoint ${name} would not do for a program that passes over ${Object.keys(change)}`, async () => {
    const source = new URL(`architectures/${name}/`, FIXTURES).pathname;
    const { ids, tensors } = await readReference(`architectures/${name}/patterns`);
    const directory = await Deno.makeTempDir();
    try {
      const config = JSON.parse(await Deno.readTextFile(join(source, "config.json")));
      await Deno.writeTextFile(
        join(directory, "config.json"),
        JSON.stringify({ ...config, ...change }),
      );
      await Deno.copyFile(join(source, "model.safetensors"), join(directory, "model.safetensors"));
      const expected = tensors.get("patterns")!;
      const actual = await patternsOf(directory, ids);
      const worst = actual.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - expected[i]!)),
        0,
      );
      assert(worst > 1e-4, `only ${worst} apart`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
