// What is read: a prompt with or without BOS, special tokens that it spells, or token ids.
import assert from "node:assert/strict";
import { tableFromIPC } from "apache-arrow";
import { assertClose } from "../support/assert_close.ts";
import { withApp } from "../support/app.ts";

const PROMPT = "Mary and John went to the store. John gave the cart to";

/** The last row of MEAN of the bundled model by transformers on `tokenizer(prompt)`, without BOS. */
const WITHOUT_BOS = [
  ...[0.3786, 0.036, 0.0453, 0.0494, 0.0408, 0.0309, 0.0373, 0.0393, 0.0421, 0.1147, 0.0496],
  ...[0.0499, 0.0861],
];
const TWO_DOCUMENTS = [50256, 464, 3797, 3332, 13, 50256, 24119, 1816, 284, 262];
/** The likeliest tokens after these by transformers. */
const AFTER_TWO_DOCUMENTS = { 11376: 0.1051, 9592: 0.0837, 2156: 0.0782 };

Deno.test("bos NONE is what Python computes on tokenizer(prompt), in GraphQL and by link", () =>
  withApp(async ({ query, fetch }) => {
    const { data: { infoFlow } } = await query(
      `query ($prompt: String) {
        infoFlow(prompt: $prompt, bos: NONE) { tokens { text } matrix { shape values url } }
      }`,
      { prompt: PROMPT },
    );
    const { matrix } = infoFlow;
    assert.deepEqual(matrix.shape, [13, 13]);
    // The expected numbers are written with four digits.
    assertClose(matrix.values.slice(-13), WITHOUT_BOS, { atol: 5e-5, rtol: 0 });
    assert.equal(infoFlow.tokens[0].text, "Mary");
    assert.match(matrix.url, /bos=NONE/);
    const { pathname, search } = new URL(matrix.url);
    const table = tableFromIPC(await (await fetch(pathname + search)).bytes());
    const { bos, ids } = JSON.parse(table.schema.metadata.get("infoflow")!);
    assert.equal(bos, "NONE");
    assert.equal(ids.length, 13);
    assert.deepEqual(Array.from(table.getChild("dropped")!), new Array(13).fill(0));
  }));

Deno.test("ids are what the model gets; specialTokens reads them off a prompt", () =>
  withApp(async ({ query }) => {
    const fields = "id predictions { id probability } url";
    const { data } = await query(
      `query ($ids: [Int!], $prompt: String) {
        ids: nextTokens(ids: $ids, k: 3) { ${fields} }
        spelt: nextTokens(prompt: $prompt, specialTokens: true, k: 3) { ${fields} }
        characters: nextTokens(prompt: $prompt, k: 3) { ${fields} }
        alone: nextTokens(prompt: $prompt, specialTokens: true, bos: NONE, k: 3) { ${fields} }
        tokens(prompt: $prompt, specialTokens: true) { id text start end }
      }`,
      { ids: TWO_DOCUMENTS, prompt: "The cat sat.<|endoftext|>Mary went to the" },
    );
    const seen = new Map(
      data.ids.predictions.map((
        { id, probability }: { id: number; probability: number },
      ) => [String(id), probability]),
    );
    for (const [id, probability] of Object.entries(AFTER_TWO_DOCUMENTS)) {
      assertClose([seen.get(id) as number], [probability], { atol: 5e-5, rtol: 0 });
    }
    assert.equal(data.spelt.id, data.ids.id, "the same ids, the same answer");
    assert.notEqual(data.characters.id, data.ids.id);
    assert.notEqual(data.alone.id, data.ids.id);
    assert.match(data.ids.url, /\?ids=50256,464,/);
    assert.match(data.spelt.url, /specialTokens=true/);
    assert.match(data.alone.url, /bos=NONE/);
    assert.deepEqual(data.tokens.map(({ id }: { id: number }) => id), TWO_DOCUMENTS);
    assert.deepEqual(data.tokens[5], { id: 50256, text: "<|endoftext|>", start: 12, end: 25 });
  }, { policy: { passes: 10 } }));

Deno.test("DROP leaves nothing out of ids that don't begin with BOS", () =>
  withApp(async ({ query }) => {
    const { data } = await query(`{
      own: infoFlow(ids: [464, 3797, 3332]) { tokens { text start end } matrix { values } }
      kept: infoFlow(ids: [464, 3797, 3332], bos: KEEP) { matrix { values } }
      none: infoFlow(prompt: "The cat sat", bos: NONE) { matrix { values } }
      dropped: infoFlow(ids: [50256, 464, 3797, 3332]) { tokens { text } matrix { values } }
      prompt: infoFlow(prompt: "The cat sat") { matrix { values } }
    }`);
    assert.deepEqual(data.own.matrix.values, data.kept.matrix.values);
    assert.deepEqual(data.own.matrix.values, data.none.matrix.values);
    assert.deepEqual(data.dropped.matrix.values, data.prompt.matrix.values);
    assert.deepEqual(data.own.tokens[1], { text: " cat", start: 3, end: 7 });
  }));

const REFUSED: [name: string, question: string, code: string, message: RegExp][] = [
  ["neither", "infoFlow", "PROMPT_EMPTY", /empty prompt/],
  ["both", 'infoFlow(prompt: "a", ids: [1])', "BAD_USER_INPUT", /a prompt and ids at once/],
  ["no ids", "infoFlow(ids: [])", "PROMPT_EMPTY", /ids must name a token/],
  ["an id beyond", "infoFlow(ids: [50257])", "BAD_USER_INPUT", /tokens 0 to 50256: .* 50257/],
  ["a negative id", "infoFlow(ids: [-1])", "BAD_USER_INPUT", /tokens 0 to 50256: .* -1/],
  ["one token for scores", "headScores(ids: [464])", "BAD_USER_INPUT", /give two/],
  ["BOS alone, dropped", "infoFlow(ids: [50256])", "BAD_USER_INPUT", /nothing else is there/],
];
Deno.test("what can't be read is refused by name", (t) =>
  withApp(async ({ query }) => {
    for (const [name, question, code, message] of REFUSED) {
      await t.step(name, async () => {
        const { errors } = await query(`{ ${question} { id } }`);
        assert.equal(errors![0]!.extensions.code, code);
        assert.match(errors![0]!.message, message);
      });
    }
    const many = new Array(300).fill(1);
    const { errors } = await query(`query ($ids: [Int!]) { infoFlow(ids: $ids) { id } }`, {
      ids: many,
    });
    assert.equal(errors![0]!.extensions.code, "PROMPT_TOO_LONG");
    assert.equal(errors![0]!.extensions.tokens, 300);
  }));

Deno.test("null stands for a default, as typed clients send it", () =>
  withApp(async ({ query }) => {
    const { data, errors } = await query(
      `query ($byLayer: Boolean, $aggregation: Aggregation, $bos: BosPolicy, $k: Int, $layout: Layout) {
        asked: infoFlow(prompt: "Hello world", byLayer: $byLayer, aggregation: $aggregation, bos: $bos) {
          id matrix { url(layout: $layout) }
        }
        plain: infoFlow(prompt: "Hello world") { id matrix { url } }
        nextTokens(prompt: "Hello world", k: $k) { predictions { id } }
      }`,
      { byLayer: null, aggregation: null, bos: null, k: null, layout: null },
    );
    assert.equal(errors, undefined);
    assert.deepEqual(data.asked, data.plain);
    assert.equal(data.nextTokens.predictions.length, 10);
  }));
