import assert from "node:assert/strict";
import { type Token, tokenize } from "../../src/tokens/tokenize.ts";
import { tokenBytes } from "../../src/tokens/vocabulary.ts";
import { readReference } from "../support/fixtures.ts";

const encoder = new TextEncoder();

/** What holds for every prompt. */
function checkCover(prompt: string, tokens: readonly Token[]): void {
  assert.deepEqual(tokens[0], { index: 0, id: 50256, text: "<|endoftext|>", start: 0, end: 0 });
  let at = 0;
  tokens.slice(1).forEach((token, i) => {
    assert.equal(token.index, i + 1);
    assert.equal(token.start, at, "no gap");
    assert(token.end >= token.start);
    at = token.end;
  });
  assert.equal(at, prompt.length, "the whole prompt");
  const bytes = tokens.slice(1).flatMap(({ id }) => Array.from(tokenBytes(id)));
  assert.deepEqual(bytes, Array.from(encoder.encode(prompt)), "the bytes of the prompt");
}

for (const name of ["one", "cart", "fox", "repeat", "unicode", "long"]) {
  Deno.test(`tokenize() gives the ids of bundled/${name}`, async () => {
    const { ids, prompt } = await readReference(`bundled/${name}`);
    const tokens = tokenize(prompt!, { limit: 1024 });
    assert.deepEqual(tokens.map(({ id }) => id), ids);
    checkCover(prompt!, tokens);
  });
}

Deno.test("tokenize() gives a split character to its first token, and shows bytes", () => {
  const tokens = tokenize("a 🍣!", { limit: 10 }).slice(1);
  assert.deepEqual(tokens.map(({ text, start, end }) => [text, start, end]), [
    ["a", 0, 1],
    ["\\x20\\xf0\\x9f", 1, 4],
    ["\\x8d", 4, 4],
    ["\\xa3", 4, 4],
    ["!", 4, 5],
  ]);
});

const PROMPTS: Record<string, string> = {
  "emoji with joiners": "👩‍👩‍👧‍👦 and 🏳️‍🌈",
  "combining marks": "e\u0301 a\u0308\u0323 Z\u0351\u036b\u0343\u036a\u0302",
  CJK: "東京は日本の首都です。한국어도",
  "right-to-left text": "שלום עולם, مرحبا بالعالم",
  "control characters": "a\u0000b\u0007c\u001b[31md\u007f\u0085e\r\n\tf",
  "byte order marks": "\uFEFFa \uFEFF\uFEFF",
  "spaces of many kinds": "a  b   c\u00a0d\u2003e\u3000 f\u2028g   ",
  "astral letters": "𝔊𝔬𝔱𝔥𝔦𝔠 𐍈",
  "private use and noncharacters": "\ue000\uffff\u{10ffff}",
  "contractions": "it's we'll I'd they've 'sup ''",
};
for (const [name, prompt] of Object.entries(PROMPTS)) {
  Deno.test(`tokenize() covers ${name}`, () =>
    checkCover(prompt, tokenize(prompt, { limit: 1024 })));
}

Deno.test("tokenize() reads <|endoftext|> as what somebody typed", () => {
  const prompt = "a<|endoftext|>b";
  const tokens = tokenize(prompt, { limit: 20 });
  checkCover(prompt, tokens);
  assert.equal(tokens.filter(({ id }) => id === 50256).length, 1);
});

Deno.test("tokenize() refuses an empty prompt", () => {
  assert.throws(() => tokenize("", { limit: 10 }), { name: "InfoflowError", code: "PROMPT_EMPTY" });
});

Deno.test("tokenize() takes a prompt of the limit and refuses one more, with both numbers", () => {
  assert.equal(tokenize(" a".repeat(9), { limit: 10 }).length, 10);
  assert.throws(() => tokenize(" a".repeat(10), { limit: 10 }), {
    code: "PROMPT_TOO_LONG",
    details: { tokens: 11, limit: 10 },
    message: /has 11 tokens, BOS among them: the model takes 10/,
  });
});

Deno.test("tokenize() refuses 10 MB before it tokenises them", () => {
  // A lone surrogate at the end: it would be complained of, had anybody looked at the text.
  assert.throws(() => tokenize("x".repeat(1e7) + "\ud800", { limit: 1024 }), {
    code: "PROMPT_TOO_LONG",
    details: { tokens: 78127, limit: 1024 },
    message: /at least 78,127 tokens/,
  });
});

for (const lone of ["\ud83d", "a\udc00", "\ud83d\ud83d\ude00"]) {
  Deno.test(`tokenize() refuses a lone surrogate in ${JSON.stringify(lone)}`, () => {
    assert.throws(() => tokenize(lone, { limit: 10 }), {
      code: "BAD_USER_INPUT",
      message: /surrogate/,
    });
  });
}
