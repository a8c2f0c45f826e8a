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

/** Makes a small model that takes prompts as long as GPT-2 does, for as long as `use` runs. */
export async function withLongModel(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infoflow-soak-" });
  try {
    await Deno.writeTextFile(join(directory, "config.json"), JSON.stringify(CONFIG));
    const bytes = safetensors(randomModel(CONFIG, 7));
    await Deno.writeFile(join(directory, "model.safetensors"), bytes);
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
