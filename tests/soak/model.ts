import { join } from "node:path";
import { randomModel } from "../support/random_model.ts";
import { safetensors } from "../support/write_checkpoint.ts";

const CONFIG = {
  model_type: "gpt2",
  activation_function: "gelu_new",
  n_embd: 64,
  n_head: 4,
  n_layer: 4,
  n_positions: 1024,
  vocab_size: 50257,
  layer_norm_epsilon: 1e-5,
};

/** What makes a model as slow as GPT-2 small is with long prompts: its layers and heads. */
export const MANY_HEADS = { n_layer: 12, n_head: 12, n_embd: 48 };

/**
 * Makes a small model that takes prompts as long as GPT-2 does, for as long as `use` runs.
 *
 * @param sizes What its `config.json` has in place of 4 layers, 4 heads and 64 channels.
 */
export async function withLongModel(
  use: (directory: string) => Promise<void>,
  sizes: Partial<typeof CONFIG> = {},
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infoflow-soak-" });
  const config = { ...CONFIG, ...sizes };
  try {
    await Deno.writeTextFile(join(directory, "config.json"), JSON.stringify(config));
    const bytes = safetensors(randomModel(config, 7));
    await Deno.writeFile(join(directory, "model.safetensors"), bytes);
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
