import { lettersOfBytes } from "./byte_letters.ts";
import { ownTokenizer, withAdded } from "./own_tokenizer.ts";
import { GPT2_TOKENIZER, type Tokenizer } from "./tokenizer.ts";
import { readTokenizerFiles, type TokenizerFiles } from "./tokenizer_files.ts";
import { BOS_ID, BOS_TEXT, encode, tokenBytes, VOCABULARY } from "./vocabulary.ts";

/**
 * How the model in a directory reads text: as GPT-2 does, where its files say the same, or by its own files. One that
 * has none, and another number of tokens than GPT-2, can't be read for.
 *
 * @param model The number of rows of the embedding, and the id of BOS, by `config.json`.
 * @throws {RangeError} If it can't be read for; the text says why.
 */
export async function tokenizerOf(
  directory: string,
  { vocabulary, bosId }: { readonly vocabulary: number; readonly bosId: number | undefined },
): Promise<Tokenizer> {
  const files = await readTokenizerFiles(directory);
  if (!files) {
    if (vocabulary === VOCABULARY) return GPT2_TOKENIZER;
    throw new RangeError(
      `Cannot read prompts for this model as it has no tokenizer files, and not GPT-2's vocabulary of ${
        VOCABULARY.toLocaleString("en")
      } tokens: its config.json has ${vocabulary.toLocaleString("en")}`,
    );
  }
  const tokenizer = bosOrOwn(files, bosId ?? BOS_ID);
  if (tokenizer.size > vocabulary) {
    throw new RangeError(
      `Cannot read prompts for this model as its tokenizer has ids to ${
        tokenizer.size - 1
      }, and its embedding only ` +
        `${vocabulary} rows: it was saved before the embedding was resized`,
    );
  }
  return tokenizer;
}

function bosOrOwn(files: TokenizerFiles, bosId: number): Tokenizer {
  if (!isGpt2(files)) return ownTokenizer(files, bosId);
  const added = new Map([...files.added, [BOS_TEXT, BOS_ID] as const]);
  if (added.size === 1 && bosId === BOS_ID) return GPT2_TOKENIZER;
  return withAdded({ vocabulary: files.vocabulary, added, bosId, encodePlain: encode });
}

/** Whether tokens and merges are GPT-2's, whose ids are those of the bytes, and then those of the merges in order. */
function isGpt2({ vocabulary, merges }: TokenizerFiles): boolean {
  if (merges.length !== BOS_ID - 256) return false;
  for (let id = 0; id < BOS_ID; id++) {
    const spelling = lettersOfBytes(tokenBytes(id));
    if (vocabulary.get(spelling) !== id) return false;
    if (id >= 256 && merges[id - 256]!.join("") !== spelling) return false;
  }
  return true;
}
