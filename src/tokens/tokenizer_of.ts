import { lettersOfBytes } from "./byte_letters.ts";
import { gpt2Cut } from "./cut.ts";
import { idsOnly } from "./ids_only.ts";
import { ownTokenizer } from "./own_tokenizer.ts";
import type { ReadText } from "./read_text.ts";
import type { Piece } from "./text_reader.ts";
import { GPT2_TOKENIZER, type Tokenizer } from "./tokenizer.ts";
import { readTokenizerFiles, type TokenizerFiles } from "./tokenizer_files.ts";
import { BOS_ID, BOS_TEXT, encode, tokenBytes, VOCABULARY } from "./vocabulary.ts";

/** The most rows that an embedding of GPT-2's vocabulary is padded to. */
const MOST_PADDED = 51_200;

/** How a model reads text, and what its user should know of that. */
export interface TokenizerChoice {
  readonly tokenizer: Tokenizer;
  /** A sentence on assumptions about the tokenizer, or on questions that the model can't answer. */
  readonly note: string | undefined;
}

/** What a model's `config.json` and name say of its tokens. */
export interface VocabularyHints {
  /** The number of rows of the embedding. */
  readonly vocabulary: number;
  /** The id of BOS by `config.json`, which may be wrong. */
  readonly bosId: number | undefined;
  /** Whether it is one of the models that are known to have GPT-2's vocabulary. */
  readonly isKnown?: boolean;
}

/**
 * How the model of some files reads text: as GPT-2 does, where its files say the same, or by its own files. BOS is what
 * those name, after that what `config.json` does. Without files it reads GPT-2's vocabulary if it has as many rows, or
 * somewhat more, as padding; another one can be asked with token ids alone.
 *
 * @throws {SyntaxError} If a file is damaged.
 * @throws {RangeError} If its files want something that Infoflow does not do; the text says what.
 */
export async function tokenizerOf(
  read: ReadText,
  hints: VocabularyHints,
): Promise<TokenizerChoice> {
  const files = await readTokenizerFiles(read);
  if (!files) return withoutFiles(hints);
  const bosId = files.bosId ?? bosOfConfig(files, hints);
  if (bosId !== undefined && bosId >= hints.vocabulary) {
    throw new RangeError(
      `Cannot read prompts for this model as BOS must have a row in its embedding, which has ${hints.vocabulary}: ` +
        `current value is ${bosId}; it was saved before the embedding was resized`,
    );
  }
  return {
    tokenizer: bosOrOwn(files, bosId),
    note: bosId === undefined
      ? "its files name no BOS: nothing is put in front of prompts"
      : undefined,
  };
}

function withoutFiles({ vocabulary, bosId, isKnown = false }: VocabularyHints): TokenizerChoice {
  const isToken = bosId !== undefined && bosId < vocabulary;
  const isPadded = vocabulary >= VOCABULARY && vocabulary <= MOST_PADDED;
  if (isPadded && (bosId === BOS_ID || !isToken)) {
    const rows = vocabulary.toLocaleString("en");
    return {
      tokenizer: GPT2_TOKENIZER,
      note: isKnown
        ? undefined
        : `it has no tokenizer files: as it has ${rows} rows, GPT-2's tokenizer is assumed`,
    };
  }
  return {
    tokenizer: idsOnly(vocabulary, isToken ? bosId : undefined),
    note: "it has no tokenizer files: ask with `ids`, or put tokenizer.json beside its weights",
  };
}

/** `config.json` is often left as GPT-2's is, so an id that is no token, or is a word, is not taken for BOS. */
function bosOfConfig(
  { vocabulary, added }: TokenizerFiles,
  { bosId }: VocabularyHints,
): number | undefined {
  if (added.some(({ id }) => id === bosId)) return bosId;
  if (bosId === BOS_ID) return vocabulary.get(BOS_TEXT) === BOS_ID ? BOS_ID : undefined;
  return vocabulary.values().some((id) => id === bosId) ? bosId : undefined;
}

function bosOrOwn(files: TokenizerFiles, bosId: number | undefined): Tokenizer {
  if (!isGpt2(files)) return ownTokenizer(files, bosId);
  const added = files.added.some(({ content }) => content === BOS_TEXT)
    ? files.added
    : [...files.added, { id: BOS_ID, content: BOS_TEXT }];
  const isPlain = files.cut === gpt2Cut && !files.normalizer && !files.prefixSpace;
  if (added.length === 1 && added[0]!.id === BOS_ID && bosId === BOS_ID && isPlain) {
    return GPT2_TOKENIZER;
  }
  const encoded = (text: string): Piece[] =>
    encode(text).map((id) => ({ id, bytes: tokenBytes(id).length }));
  return ownTokenizer({ ...files, added }, bosId, files.cut === gpt2Cut ? encoded : undefined);
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
