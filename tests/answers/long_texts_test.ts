import assert from "node:assert/strict";
import { LongTexts } from "../../src/server/answers/long_texts.ts";
import { Helper } from "../../src/server/helper/helper.ts";
import { GPT2_TOKENIZER } from "../../src/tokens/tokenizer.ts";

Deno.test("a text is tokenised once, however often it is asked about, and special tokens apart", () => {
  let calls = 0;
  const counting = {
    ...GPT2_TOKENIZER,
    encode(text: string, specialTokens?: boolean) {
      calls++;
      return GPT2_TOKENIZER.encode(text, specialTokens);
    },
  };
  const { tokenizer } = new LongTexts(counting, { directory: "", isKnown: true }, new Helper());
  for (const specialTokens of [false, true, false, true]) {
    const { ids } = tokenizer.encode("a<|endoftext|>", specialTokens);
    assert.equal(ids.length === 2, specialTokens);
  }
  assert.equal(calls, 2);
});
