/** The sizes and options of a model. */
export const CONFIG = "config.json";
/** The one file that has a model's weights, or the index of several. */
export const WEIGHTS = "model.safetensors";
/** Says which of several files has each tensor. */
export const WEIGHTS_INDEX = "model.safetensors.index.json";

/** The tokenizer's files. A model has some of them, or none. */
export const TOKENIZER_FILES: readonly string[] = [
  "tokenizer.json",
  "vocab.json",
  "merges.txt",
  "added_tokens.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
];

/** The config of an autoencoder in SAELens' format. */
const SAE_CONFIG = "cfg.json";

/** Whether a file of that name may be read from a directory that was given for a model or an autoencoder. */
export function isModelFile(name: string): boolean {
  return [CONFIG, WEIGHTS_INDEX, SAE_CONFIG, ...TOKENIZER_FILES].includes(name) ||
    name.endsWith(".safetensors");
}
