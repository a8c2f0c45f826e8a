import { LRUCache } from "lru-cache";
import type { Encoding } from "../../tokens/text_reader.ts";
import type { Tokenizer } from "../../tokens/tokenizer.ts";
import type { Helper } from "../helper/helper.ts";
import type { TokenizerPlace } from "../helper/protocol.ts";

/** A text of fewer UTF-16 units is read at once: that takes a millisecond at most. */
export const LONG_TEXT = 256;
/** About the most bytes of texts whose tokens are remembered, with these: of a text, of each of its tokens and units. */
const MOST_BYTES = 8 * 2 ** 20;
const BYTES = { text: 384, token: 16, unit: 2 } as const;

/**
 * The tokens of texts, remembered: a text is tokenised once, however often it is asked about. Longer ones, which take up
 * to half a second, are read in the helping thread.
 */
export class LongTexts {
  readonly #tokenizer: Tokenizer;
  readonly #place: TokenizerPlace;
  readonly #helper: Helper;
  readonly #known = new LRUCache<string, Encoding>({
    maxSize: MOST_BYTES,
    sizeCalculation: ({ ids }, { length }) =>
      BYTES.text + BYTES.token * ids.length + BYTES.unit * length,
  });

  constructor(tokenizer: Tokenizer, place: TokenizerPlace, helper: Helper) {
    this.#tokenizer = tokenizer;
    this.#place = place;
    this.#helper = helper;
  }

  /** The same tokenizer, which looks here first. */
  get tokenizer(): Tokenizer {
    const { encode, ...others } = this.#tokenizer;
    return {
      ...others,
      encode: (text, specialTokens = false) => {
        const known = this.#known.get(keyOf(text, specialTokens));
        if (known) return known;
        const encoding = encode(text, specialTokens);
        this.#known.set(keyOf(text, specialTokens), encoding);
        return encoding;
      },
    };
  }

  /** Whether a text may be no more than some tokens, by its length. */
  mayFit(text: string, context: number): boolean {
    return text.length <= context * this.#tokenizer.longest;
  }

  /** Finds the tokens of a text that will be read, if it is long. What is wrong with it, reading it will tell. */
  async prepare(text: string, { context, specialTokens }: PrepareOptions): Promise<void> {
    const key = keyOf(text, specialTokens);
    if (
      text.length < LONG_TEXT || !this.mayFit(text, context) || this.#known.has(key) ||
      !text.isWellFormed()
    ) return;
    const argument = { ...this.#place, text, specialTokens };
    const encoding = await this.#helper.ask("tokens", argument).catch(() => undefined);
    if (encoding) this.#known.set(key, encoding);
  }
}

/** How a text will be read. */
export interface PrepareOptions {
  /** The most tokens that the model takes. */
  readonly context: number;
  readonly specialTokens: boolean;
}

function keyOf(text: string, specialTokens: boolean): string {
  return `${Number(specialTokens)}${text}`;
}
