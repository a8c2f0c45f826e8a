// Tokenizers as people's checkpoints have them, against transformers (tests/make_tokenizer_cases.py).
import assert from "node:assert/strict";
import { tokenizerOf } from "../../src/tokens/tokenizer_of.ts";
import fixture from "../fixtures/tokenizers/cases.json" with { type: "json" };

/** Some of the base's parts, changed. */
type Change = Readonly<Record<string, unknown>> & { readonly model?: object };

const { base, texts } = fixture;

for (const { name, change, files, bos, ids } of fixture.cases) {
  Deno.test(`tokenizerOf() reads ${name} as transformers does, and covers every text`, async () => {
    const { model = {} } = change as Change;
    const whole = { ...base, ...change, model: { ...base.model, ...model } };
    const all: Record<string, unknown> = { ...files, "tokenizer.json": whole };
    const read = (file: string): Promise<string | undefined> =>
      Promise.resolve(file in all ? JSON.stringify(all[file]) : undefined);
    const { tokenizer } = await tokenizerOf(read, { vocabulary: 400, bosId: 50256 });
    assert.equal(tokenizer.bos?.id, bos);
    texts.forEach((text, index) => {
      const encoded = tokenizer.encode(text, true);
      assert.deepEqual(encoded.ids, ids[index], JSON.stringify(text));
      assert.equal(encoded.ends.at(-1), text.length);
      encoded.ends.forEach((end, at) => assert(end >= (encoded.ends[at - 1] ?? 0), "ends go back"));
    });
  });
}
