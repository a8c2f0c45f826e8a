import { BOS_ID, encode, tokenBytes } from "../../src/tokens/vocabulary.ts";
import { tokenize } from "../../src/tokens/tokenize.ts";
import { Random } from "../support/random.ts";
import { strangeText } from "./strange_text.ts";
import { VerdictReader } from "./verdict_reader.ts";

const BATCH = 5000;

/** What came of fuzzing the tokenizer. */
export interface TokensReport {
  readonly texts: number;
  /** Texts that it and tiktoken read differently, or that tokens don't cover. */
  readonly different: readonly string[];
  readonly slowestMs: number;
}

/** Has random Unicode tokenised here and by tiktoken. */
export async function fuzzTokens(count: number, seed: number): Promise<TokensReport> {
  const random = new Random(seed);
  const different: string[] = [];
  let slowestMs = 0;
  const encoder = new TextEncoder();
  const ranks = Array.from({ length: BOS_ID }, (_, id) => tokenBytes(id));
  await using reference = new VerdictReader(
    new URL("reference_tokens.py", import.meta.url).pathname,
  );
  await reference.ask(ranks);
  for (let done = 0; done < count;) {
    const texts = Array.from(
      { length: Math.min(BATCH, count - done) },
      () => strangeText(random).toWellFormed(),
    );
    const theirs = reference.ask(texts.map((text) => encoder.encode(text)));
    const ours = texts.map((text) => {
      const began = performance.now();
      const ids = encode(text);
      if (text !== "") covers(text);
      slowestMs = Math.max(slowestMs, performance.now() - began);
      return ids.join(" ");
    });
    for (const [index, their] of (await theirs).entries()) {
      if (ours[index] !== their) different.push(texts[index]!);
    }
    done += texts.length;
  }
  return { texts: count, different, slowestMs };
}

function covers(text: string): void {
  const tokens = tokenize(text, { limit: 1e6 });
  const isWhole = tokens.every(({ start }, i) => i === 0 || start === tokens[i - 1]!.end) &&
    tokens.at(-1)!.end === text.length;
  if (!isWhole) throw new Error(`Cannot find all of ${JSON.stringify(text)} in its tokens`);
}
