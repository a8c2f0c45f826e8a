// Who moves the name? The story of docs/interventions.md, as a client asks for it.
import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { assertClose } from "../support/assert_close.ts";
import { ORIGIN, type TestApp, withApp } from "../support/app.ts";

const CLEAN = "Mary and John went to the store. John gave the cart to";
const CORRUPTED = "Mary and John went to the store. Mary gave the cart to";
const PAIR = { clean: CLEAN, corrupted: CORRUPTED, answer: " Mary", against: " John" };
const [L, H, T] = [6, 8, 14];

function idsOf(tokens: readonly { id: number }[]): number[] {
  return tokens.map(({ id }) => id);
}

/** Asks for a grid; arguments as GraphQL writes them. */
async function patch(app: TestApp, more: string, fields: string): Promise<
  // deno-lint-ignore no-explicit-any -- whatever was asked for
  any
> {
  const answer = await app.query(
    `query ($clean: String, $corrupted: String, $answer: TokenName!, $against: TokenName) {
      patching(clean: $clean, corrupted: $corrupted, answer: $answer, against: $against ${more}) { ${fields} }
    }`,
    PAIR,
  );
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data.patching;
}

Deno.test("patching says where the name is read, and which head carries it on", () =>
  withApp(async (app) => {
    const fields = "id clean corrupted rowLayers tokens { id text } corruptedTokens { id text } " +
      "matrix { axes shape values }";
    const streams = await patch(app, "", fields);
    assert.deepEqual(streams.matrix.axes, ["layer", "position"]);
    assert.deepEqual(streams.matrix.shape, [L, T]);
    assert.equal(streams.tokens[9].text, " John");
    assert.equal(streams.corruptedTokens[9].text, " Mary");
    // Up to layer 4 all of it is at the second name, in layer 5 at the token after it.
    const at = (layer: number, position: number): number =>
      streams.matrix.values[layer * T + position];
    for (let layer = 0; layer < 5; layer++) assert(at(layer, 9) > 0.9 && at(layer, 10) < 0.1);
    assert(at(5, 9) < 0.1 && at(5, 10) > 0.9);
    // Of 6 x 14 runs of 14 rows and 6 layers, next to nothing was computed.
    assert(streams.rowLayers > 50 && streams.rowLayers < 0.05 * 84 * 14 * 6);

    const heads = await patch(app, ", site: Z, by: LAYER_HEAD", fields);
    const best = heads.matrix.values.indexOf(Math.max(...heads.matrix.values));
    assert.deepEqual([Math.floor(best / H), best % H], [4, 0]);

    // Raw values are what the normalised ones are made of, and both directions have the same baselines.
    const raw = await patch(app, ", normalize: false", fields);
    const span = raw.clean - raw.corrupted;
    const scaled = raw.matrix.values.map((value: number) => (value - raw.corrupted) / span);
    assertClose(scaled, streams.matrix.values, { atol: 1e-6 });
    const noise = await patch(app, ", direction: NOISE", fields);
    assert.deepEqual([noise.clean, noise.corrupted], [raw.clean, raw.corrupted]);
    assert.equal(noise.matrix.values[0], 1, "nothing before the second name differs");
    assertClose([noise.matrix.values[9]], [0], { atol: 1e-5 });
    assert.equal(at(0, 0), 0);
    // Ids are the same prompts.
    const { data } = await app.query(
      `query ($clean: [Int!], $corrupted: [Int!]) {
        patching(cleanIds: $clean, corruptedIds: $corrupted, answer: 5335, against: 1757) {
          id url matrix { values }
        }
      }`,
      { clean: idsOf(streams.tokens), corrupted: idsOf(streams.corruptedTokens) },
    );
    assert.equal(data.patching.id, streams.id);
    assert.deepEqual(data.patching.matrix.values, streams.matrix.values);
    const byIds = await app.fetch(data.patching.url.slice(ORIGIN.length));
    assert.equal(byIds.headers.get("etag"), `"${streams.id}"`);
    // Some layers are a part of all.
    const some = await patch(app, ", layers: [5, 4]", fields);
    assert.deepEqual(some.matrix.shape, [2, T]);
    assert.deepEqual(some.matrix.values, streams.matrix.values.slice(4 * T));
    assert.equal(new Set([streams, heads, raw, noise, some].map(({ id }) => id)).size, 5);
  }));

Deno.test("the example of docs/interventions.md comes out as it says", () =>
  withApp(async (app) => {
    const of = `answer: " Mary", against: " John"`;
    const pair = `clean: "${CLEAN}", corrupted: "${CORRUPTED}", ${of}, by: LAYER_HEAD`;
    const { data } = await app.query(`{
      headEffects(prompt: "${CLEAN}", ${of}) { baseline matrix { values } }
      without: nextTokens(prompt: "${CLEAN}", k: 1, ablate: [{ layer: 4, head: 0 }]) { predictions { probability } }
      patched: nextTokens(prompt: "${CORRUPTED}", k: 1,
        interventions: [{ site: Z, layer: 4, heads: [0], action: REPLACE, from: "${CLEAN}" }]) {
        predictions { text probability }
      }
      z: patching(${pair}, site: Z) { matrix { values } }
      noised: patching(${pair}, site: Z, direction: NOISE) { matrix { values } }
      pattern: patching(${pair}, site: PATTERN) { matrix { values } }
      values: patching(${pair}, site: V) { matrix { values } }
    }`);
    const near = (actual: number, expected: number): void =>
      void assertClose([actual], [expected], { atol: 0.05 });
    const head = ({ matrix }: { matrix: { values: number[] } }, layer: number, head: number) =>
      matrix.values[layer * H + head]!;
    near(data.headEffects.baseline, 10.2);
    for (
      const [layer, number, effect] of [[1, 1, -6.8], [0, 4, -4.7], [2, 0, -4.2], [4, 0, -4.1]]
    ) {
      near(head(data.headEffects, layer!, number!), effect!);
    }
    assertClose([data.without.predictions[0].probability], [0.49], { atol: 0.005 });
    assert.equal(data.patched.predictions[0].text, " Mary");
    assertClose([data.patched.predictions[0].probability], [0.9], { atol: 0.005 });
    for (
      const [grid, layer, number, value] of [
        ["z", 4, 0, 1.05],
        ["z", 5, 7, 0.53],
        ["z", 5, 6, 0.25],
        ["noised", 4, 0, 0.02],
        ["pattern", 4, 0, 0.05],
        ["values", 4, 0, 1.07],
      ] as const
    ) assertClose([head(data[grid], layer, number)], [value], { atol: 0.006 });
  }));

Deno.test("patching and head effects have links with the same bytes, which others read", () =>
  withApp(async (app) => {
    const fields = "id url matrix { arrow url(layout: TENSOR) values }";
    for (
      const [more, columns] of [
        ["", ["layer", "position", "value"]],
        [", site: Z", ["layer", "head", "position", "value"]],
        [", site: Z, by: LAYER_HEAD, metric: KL", ["layer", "head", "value"]],
        [", site: MLP_OUT, by: LAYER, layers: [2, 5]", ["layer", "value"]],
      ] as const
    ) {
      const { id, url, matrix } = await patch(app, more, fields);
      const response = await app.fetch(url.slice(ORIGIN.length));
      assert.equal(response.headers.get("etag"), `"${id}"`);
      const bytes = await response.bytes();
      assert.equal(bytes.toBase64(), matrix.arrow);
      const table = tableFromIPC(bytes);
      assert.deepEqual(table.names, columns);
      assert.deepEqual(
        Array.from(table.getChild("value").toArray()),
        matrix.values.map(Math.fround),
      );
      const layers = Array.from(table.getChild("layer").toArray());
      assert.equal(layers[0], more.includes("layers") ? 2 : 0);
      assert.equal(layers.at(-1), 5);
      const metadata = JSON.parse(table.schema.metadata!.get("infoflow")!);
      assert.equal(metadata.corruptedPrompt, CORRUPTED);
      assert.equal(metadata.answer, 5335);
      const tensor = tableFromIPC(await (await app.fetch(matrix.url.slice(ORIGIN.length))).bytes());
      assert.equal(tensor.numRows, 1);
    }
    const { data } = await app.query(
      `query ($prompt: String!) { headEffects(prompt: $prompt, answer: " Mary", against: " John") {
        id url baseline cacheHit tokens { text } matrix { axes shape arrow values }
      } }`,
      { prompt: CLEAN },
    );
    const { id, url, baseline, matrix } = data.headEffects;
    assert.deepEqual([matrix.axes, matrix.shape], [["layer", "head"], [L, H]]);
    assert(baseline > 5);
    const response = await app.fetch(url.slice(ORIGIN.length));
    assert.equal(response.headers.get("etag"), `"${id}"`);
    assert.equal((await response.bytes()).toBase64(), matrix.arrow);
  }));

Deno.test("what can't be patched is refused by what is wrong with it, and the server goes on", () =>
  withApp(async (app) => {
    const refused = async (question: string): Promise<string> => {
      const { errors } = await app.query(`{ ${question} { matrix { values } } }`);
      assert(errors, question);
      assert.equal(errors[0]!.extensions.code, "BAD_USER_INPUT", JSON.stringify(errors));
      return errors[0]!.message;
    };
    const of = (more: string, corrupted = CORRUPTED): Promise<string> =>
      refused(`patching(clean: "${CLEAN}", corrupted: "${corrupted}", ${more})`);
    assert.match(
      await of('answer: " Mary", against: " John"', "Mary and John went"),
      /the clean one has 14 and the corrupted one 5, and they first differ at position 5/,
    );
    assert.match(
      await of('answer: "Mary Poppins", against: " John"'),
      /no token of the vocabulary but 4: "Mary", " Po", "pp", "ins"/,
    );
    assert.match(
      await of('answer: " Mary", against: " Mary"'),
      /answer and against must be two tokens/,
    );
    assert.match(await of('answer: " Mary"'), /LOGIT_DIFF as it needs the token/);
    assert.match(await of('answer: 60000, against: " John"'), /0 to 50256/);
    assert.match(
      await of('answer: " Mary", against: " John", by: LAYER_HEAD'),
      /RESID_PRE by LAYER_HEAD as it has no heads/,
    );
    assert.match(await of('answer: " Mary", against: " John", layers: [99]'), /0 to 5/);
    assert.match(await of('answer: " Mary", against: " John"', CLEAN), /Cannot normalize/);
    const effects =
      `headEffects(prompt: "${CLEAN}", answer: " Mary", against: " John", action: BLOCK)`;
    assert.match(await refused(effects), /action must be ZERO or MEAN: current value is BLOCK/);
    const again = await patch(app, "", "clean");
    assert(again.clean > 5);
  }));
