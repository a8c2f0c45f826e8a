import { InfoflowError } from "../errors.ts";
import type { Tokenizer } from "./tokenizer.ts";

/**
 * For a model whose vocabulary is not known: prompts are token ids, and ids are shown in place of texts.
 *
 * @param vocabulary How many tokens it has.
 * @param bosId Which of them is BOS, if one is.
 */
export function idsOnly(vocabulary: number, bosId: number | undefined): Tokenizer {
  return {
    bos: bosId === undefined ? undefined : { id: bosId, text: `[${bosId}]` },
    longest: Infinity,
    size: vocabulary,
    encode: () => {
      throw new InfoflowError(
        "BAD_USER_INPUT",
        "Cannot read a text for this model as it has no tokenizer files: ask with `ids`, or put " +
          "tokenizer.json beside its weights",
      );
    },
    bytes: () => new Uint8Array(),
    special: () => undefined,
  };
}
