import { join } from "node:path";
import type { ReadText } from "../tokens/read_text.ts";
import { type TokenizerChoice, tokenizerOf } from "../tokens/tokenizer_of.ts";
import { readModelFile } from "./read_model_file.ts";
import { readArchitecture, readBosId } from "./checkpoint.ts";

/** Reads the files of a directory. */
export function textsOf(directory: string): ReadText {
  return (name) => readModelFile(join(directory, name));
}

/**
 * Reads how the model in a directory reads text.
 *
 * @param isKnown Whether it is one of the models that are known to have GPT-2's vocabulary.
 * @throws As {@linkcode tokenizerOf} does.
 */
export async function readTokenizer(
  directory: string,
  isKnown: boolean,
): Promise<TokenizerChoice> {
  const { vocabulary } = await readArchitecture(directory);
  const bosId = await readBosId(directory);
  return await tokenizerOf(textsOf(directory), { vocabulary, bosId, isKnown });
}
