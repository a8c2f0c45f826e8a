// A checkpoint's own tokenizer, against what Hugging Face's tokenizers make of the same files (tests/make_tokenizers.py).
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import manifest from "../../weights/manifest.json" with { type: "json" };
import { tokenize, tokenText } from "../../src/tokens/tokenize.ts";
import { GPT2_TOKENIZER } from "../../src/tokens/tokenizer.ts";
import { textsOf } from "../../src/checkpoints/read_tokenizer.ts";
import { tokenizerOf } from "../../src/tokens/tokenizer_of.ts";
import { FIXTURES } from "../support/fixtures.ts";
import { gpt2Files, writeGpt2Files } from "../support/gpt2_files.ts";

const OWN = new URL("tokenizers/own/", FIXTURES).pathname;
const ADDED = new URL("tokenizers/added/", FIXTURES).pathname;

async function expected(directory: string): Promise<{ texts: string[]; ids: number[][] }> {
  return JSON.parse(await Deno.readTextFile(join(directory, "expected.json")));
}

/** A directory with some files for as long as `use` runs. */
async function withFiles(
  files: Record<string, unknown>,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infoflow-" });
  try {
    for (const [name, content] of Object.entries(files)) {
      const text = typeof content === "string" ? content : JSON.stringify(content);
      await Deno.writeTextFile(join(directory, name), text);
    }
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** tokenizer.json of the own vocabulary, changed. */
// deno-lint-ignore no-explicit-any -- a file to be spoilt
async function changed(change: (file: any) => void): Promise<string> {
  const file = JSON.parse(await Deno.readTextFile(join(OWN, "tokenizer.json")));
  change(file);
  return JSON.stringify(file);
}

Deno.test("tokenizerOf() reads a vocabulary of its own as tokenizers does, and covers every text", async () => {
  const { tokenizer } = await tokenizerOf(textsOf(OWN), { vocabulary: 500, bosId: 0 });
  const { texts, ids } = await expected(OWN);
  assert.deepEqual(tokenizer.bos, { id: 0, text: "<|endoftext|>" });
  texts.forEach((text, i) => {
    const tokens = tokenize(text, { limit: 1000, tokenizer });
    assert.deepEqual(tokens.map(({ id }) => id), [0, ...ids[i]!], JSON.stringify(text));
    assert.equal(tokens.slice(1).map(({ start, end }) => text.slice(start, end)).join(""), text);
  });
});

Deno.test("tokenizerOf() reads vocab.json and merges.txt as it reads tokenizer.json", async () => {
  const files = ["vocab.json", "merges.txt"].map(async (
    name,
  ) => [name, await Deno.readTextFile(join(OWN, name))]);
  await withFiles(Object.fromEntries(await Promise.all(files)), async (directory) => {
    const { tokenizer: plain } = await tokenizerOf(textsOf(directory), {
      vocabulary: 500,
      bosId: 0,
    });
    const { tokenizer: whole } = await tokenizerOf(textsOf(OWN), { vocabulary: 500, bosId: 0 });
    for (const text of ["Mary went to the store.", "x".repeat(3000), " 🍣"]) {
      assert.deepEqual(plain.encode(text), whole.encode(text));
    }
  });
});

Deno.test("tokenizerOf() reads GPT-2's vocabulary with added tokens as tokenizers does", async () => {
  const added = JSON.parse(await Deno.readTextFile(join(ADDED, "added_tokens.json")));
  await withFiles({ "added_tokens.json": added }, async (directory) => {
    await writeGpt2Files(directory);
    const { tokenizer } = await tokenizerOf(textsOf(directory), {
      vocabulary: 50261,
      bosId: undefined,
    });
    const { texts, ids } = await expected(ADDED);
    texts.forEach((text, i) =>
      assert.deepEqual(tokenizer.encode(text).ids, ids[i], JSON.stringify(text))
    );
    assert.deepEqual(tokenizer.bos, { id: 50256, text: "<|endoftext|>" });
  });
});

Deno.test("tokenizerOf() knows GPT-2's own files, and takes its own tokenizer for them", async () => {
  await withFiles({}, async (directory) => {
    await writeGpt2Files(directory);
    const sizes = { vocabulary: 50257, bosId: 50256 };
    assert.equal((await tokenizerOf(textsOf(directory), sizes)).tokenizer, GPT2_TOKENIZER);
  });
});

Deno.test("tokenizerOf() knows GPT-2's tokenizer.json, which names no type of model", async () => {
  const { vocab, merges } = gpt2Files();
  const token = { content: "<|endoftext|>", id: 50256, special: true, normalized: true };
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true };
  const file = {
    added_tokens: [{ ...token, single_word: false, lstrip: false, rstrip: false }],
    normalizer: null,
    pre_tokenizer: bytes,
    post_processor: { ...bytes, add_prefix_space: true },
    model: { dropout: null, continuing_subword_prefix: "", end_of_word_suffix: "", vocab, merges },
  };
  await withFiles({ "tokenizer.json": file }, async (directory) => {
    const sizes = { vocabulary: 50257, bosId: 50256 };
    assert.equal((await tokenizerOf(textsOf(directory), sizes)).tokenizer, GPT2_TOKENIZER);
  });
});

Deno.test("merges.txt, written from our vocabulary, has the hash that is pinned for GPT-2's", () => {
  const content = `#version: 0.2\n${gpt2Files().merges.join("\n")}\n`;
  const pin = manifest.gpt2.files["merges.txt"];
  assert.equal(new TextEncoder().encode(content).length, pin.size);
  assert.equal(createHash("sha256").update(content).digest("hex"), pin.sha256);
});

Deno.test("tokenizerOf() takes GPT-2's vocabulary where there are no files and as many tokens", async () => {
  await withFiles({}, async (directory) => {
    const sizes = { vocabulary: 50257, bosId: undefined };
    assert.equal((await tokenizerOf(textsOf(directory), sizes)).tokenizer, GPT2_TOKENIZER);
    const noteOf = async (vocabulary: number, isKnown = false): Promise<string | undefined> =>
      (await tokenizerOf(textsOf(directory), { vocabulary, bosId: 50256, isKnown })).note;
    assert.equal(await noteOf(50257, true), undefined);
    assert.match((await noteOf(50257))!, /as it has 50,257 rows, GPT-2's tokenizer is assumed/);
    assert.match((await noteOf(50304))!, /as it has 50,304 rows, GPT-2's tokenizer is assumed/);
  });
});

Deno.test("tokenizerOf() knows no text of another vocabulary without files: it takes ids alone", async () => {
  await withFiles({}, async (directory) => {
    for (const sizes of [{ vocabulary: 331, bosId: 50256 }, { vocabulary: 50257, bosId: 0 }]) {
      const { tokenizer, note } = await tokenizerOf(textsOf(directory), sizes);
      assert.match(note!, /no tokenizer files: ask with `ids`/);
      assert.throws(() => tokenizer.encode("Hello"), {
        code: "BAD_USER_INPUT",
        message: /ask with `ids`/,
      });
      assert.equal(tokenText(17, tokenizer), "[17]");
    }
  });
});

// deno-lint-ignore no-explicit-any -- files that are spoilt
const REFUSED: [name: string, change: (file: any) => void, message: RegExp][] = [
  [
    "another model",
    (file) => file.model.type = "WordPiece",
    /model\.type must be "BPE": .* "WordPiece"/,
  ],
  [
    "another normalizer",
    (file) => file.normalizer = { type: "StripAccents" },
    /normalizer must be null, NFC, .*: current value is \{"type":"StripAccents"\}/,
  ],
  [
    "another cut",
    (file) => file.pre_tokenizer.type = "Whitespace",
    /pre_tokenizer\.type must be "ByteLevel", .*: current value is "Whitespace"/,
  ],
  ["dropout", (file) => file.model.dropout = 0.1, /model\.dropout must be null/],
  ["prefixes", (file) => file.model.continuing_subword_prefix = "##", /continuing_subword_prefix/],
  [
    "a merge of nothing",
    (file) => file.model.merges.push(["!", "?"]),
    /must have what it merges: .* ! \?/,
  ],
  ["ids that are none", (file) => file.model.vocab["!"] = -1, /must hold tokens with their ids/],
  ["merges that are no pairs", (file) => file.model.merges[0] = "a b c", /pairs that are merged/],
];
for (const [name, change, message] of REFUSED) {
  Deno.test(`tokenizerOf() refuses a tokenizer with ${name}, by name`, async () => {
    await withFiles(
      { "tokenizer.json": await changed(change) },
      (directory) =>
        assert.rejects(() => tokenizerOf(textsOf(directory), { vocabulary: 500, bosId: 0 }), {
          message,
        }),
    );
  });
}

Deno.test("tokenizerOf() refuses a BOS without a row, half of the files, and what is no JSON", async () => {
  await withFiles(
    {
      "tokenizer.json": await changed(() => {}),
      "special_tokens_map.json": { bos_token: "<new>" },
    },
    (directory) =>
      assert.rejects(() => tokenizerOf(textsOf(directory), { vocabulary: 400, bosId: 0 }), {
        message: /BOS must have a row in its embedding, which has 400: current value is \d+/,
      }),
  );
  const sizes = { vocabulary: 500, bosId: 0 };
  await withFiles(
    { "vocab.json": {} },
    (directory) =>
      assert.rejects(() => tokenizerOf(textsOf(directory), sizes), {
        message: /takes vocab\.json and merges\.txt/,
      }),
  );
  await withFiles(
    { "tokenizer.json": "{" },
    (directory) =>
      assert.rejects(() => tokenizerOf(textsOf(directory), sizes), {
        message: /tokenizer\.json as it is not JSON/,
      }),
  );
});
