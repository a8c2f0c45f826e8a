/// <reference lib="deno.worker" />
import { readTokenizer } from "../../checkpoints/read_tokenizer.ts";
import { InfoflowError } from "../../errors.ts";
import { GPT2_TOKENIZER, type Tokenizer } from "../../tokens/tokenizer.ts";
import { csvOf } from "../arrow/csv.ts";
import { encodeMatrix } from "../arrow/encode.ts";
import type { HelperCalls, HelperReply, HelperRequest, TokenizerPlace } from "./protocol.ts";

const tokenizers = new Map<string, Promise<Tokenizer>>();

function tokenizerAt({ directory, isKnown }: TokenizerPlace): Promise<Tokenizer> {
  let tokenizer = tokenizers.get(directory);
  if (!tokenizer) {
    tokenizer = readTokenizer(directory, isKnown).then((choice) =>
      choice.tokenizer ?? GPT2_TOKENIZER
    );
    tokenizers.set(directory, tokenizer);
  }
  return tokenizer;
}

async function answer(request: HelperRequest): Promise<HelperCalls[keyof HelperCalls]["result"]> {
  if (request.call === "arrow") {
    const { matrix, metadata, form } = request.argument;
    return encodeMatrix(matrix, metadata, form);
  }
  if (request.call === "csv") return csvOf(request.argument.stream);
  const { text, specialTokens, ...place } = request.argument;
  return (await tokenizerAt(place)).encode(text, specialTokens);
}

self.onmessage = async ({ data }: MessageEvent<HelperRequest>) => {
  const { id } = data;
  try {
    const result = await answer(data);
    self.postMessage(
      { id, result } satisfies HelperReply,
      result instanceof Uint8Array ? [result.buffer] : [],
    );
  } catch (error) {
    const { message } = error as Error;
    const { code, details } = error instanceof InfoflowError
      ? error
      : { code: undefined, details: undefined };
    self.postMessage({ id, message, code, details } satisfies HelperReply);
  }
};
