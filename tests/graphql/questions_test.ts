import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { ORIGIN, type TestApp, withApp } from "../support/app.ts";

const PROMPT = "Mary and John went to the store. John gave";

/** Every question with a table, and the columns that it has. */
const TABLES: readonly [question: string, fields: string, columns: string[]][] = [
  [
    "nextTokens(prompt: $prompt, k: 3, ablate: [{layer: 2, head: 1}])",
    "predictions { id text logit logProbability probability }",
    ["rank", "id", "token", "logit", "log_probability", "probability"],
  ],
  [
    "logitLens(prompt: $prompt, k: 2)",
    "tokens { text } predictions { layer position rank id text logit logProbability probability }",
    ["layer", "position", "rank", "id", "token", "log_probability", "probability"],
  ],
  [
    `attribution(prompt: $prompt, token: " the")`,
    "token { id text logit } parts { kind layer head value centred }",
    ["kind", "layer", "head", "value", "centred", "token"],
  ],
  [
    "headScores(prompt: $prompt)",
    "heads { layer head previousToken bos induction }",
    ["layer", "head", "previous_token", "bos", "induction"],
  ],
  [
    "routes(prompt: $prompt, target: 5, threshold: 0.02)",
    "target threshold tokens { text } nodes { layer place position share } edges { layer kind head source target weight }",
    ["layer", "kind", "head", "source", "target", "weight"],
  ],
];

Deno.test("every question has a link that gives the same bytes, and an Arrow table that others read", () =>
  withApp(async (app) => {
    for (const [question, fields, columns] of TABLES) {
      const [name] = question.split("(");
      const { data } = await app.query(
        `query ($prompt: String!) { ${question} { id url arrow cacheHit ${fields} } }`,
        { prompt: PROMPT },
      );
      const answer = data[name!];
      const response = await app.fetch(answer.url.slice(ORIGIN.length));
      assert.equal(response.headers.get("etag"), `"${answer.id}"`);
      const bytes = await response.bytes();
      assert.equal(bytes.toBase64(), answer.arrow);
      const table = tableFromIPC(bytes);
      assert.deepEqual(table.names, columns);
      const rows = answer.predictions ?? answer.heads ?? answer.parts ?? answer.edges;
      assert.equal(table.numRows, rows.length);
      const metadata = JSON.parse(table.schema.metadata!.get("infoflow")!);
      assert.equal(metadata.id, answer.id);
      assert.equal(metadata.prompt, PROMPT);
    }
  }));

Deno.test("next tokens are a distribution, best first, and the lens ends with them", () =>
  withApp(async (app) => {
    const { data } = await app.query(
      `query ($prompt: String!) {
        nextTokens(prompt: $prompt, k: 5) { predictions { id text probability } }
        logitLens(prompt: $prompt, k: 5) { predictions { layer position rank id probability } }
      }`,
      { prompt: PROMPT },
    );
    const { predictions } = data.nextTokens;
    const probabilities = predictions.map((it: { probability: number }) => it.probability);
    assert.deepEqual(probabilities, probabilities.toSorted((a: number, b: number) => b - a));
    assert(probabilities[0] < 1 && probabilities.reduce((a: number, b: number) => a + b) < 1);
    const end = data.logitLens.predictions.slice(-5);
    assert.deepEqual(
      end,
      predictions.map(({ id, probability }: { id: number; probability: number }, rank: number) => {
        return { layer: 6, position: 10, rank, id, probability };
      }),
    );
  }));

async function codeOf(app: TestApp, question: string): Promise<unknown> {
  const { errors } = await app.query(`{ ${question} { id } }`);
  const { code, min, max } = errors![0]!.extensions;
  return [code, min, max];
}

Deno.test("options that can't be get a code and the valid range", () =>
  withApp(async (app) => {
    for (const k of [0, 101, -1]) {
      assert.deepEqual(await codeOf(app, `nextTokens(prompt: "a", k: ${k})`), [
        "BAD_USER_INPUT",
        1,
        100,
      ]);
    }
    assert.deepEqual(await codeOf(app, `logitLens(prompt: "a", k: 21)`), ["BAD_USER_INPUT", 1, 20]);
    for (const token of [50257, -1]) {
      assert.deepEqual(await codeOf(app, `attribution(prompt: "a", token: ${token})`), [
        "BAD_USER_INPUT",
        0,
        50256,
      ]);
    }
    for (const token of [`"no token"`, `""`]) {
      assert.deepEqual(await codeOf(app, `attribution(prompt: "a", token: ${token})`), [
        "BAD_USER_INPUT",
        0,
        50256,
      ]);
    }
    assert.deepEqual(await codeOf(app, `attribution(prompt: "a", token: true)`), [
      "BAD_USER_INPUT",
      undefined,
      undefined,
    ]);
    for (const target of [2, -1]) {
      assert.deepEqual(await codeOf(app, `routes(prompt: "a", target: ${target})`), [
        "BAD_USER_INPUT",
        0,
        1,
      ]);
    }
    for (const threshold of [-0.1, 1.1]) {
      assert.deepEqual(await codeOf(app, `routes(prompt: "a", threshold: ${threshold})`), [
        "BAD_USER_INPUT",
        0,
        1,
      ]);
    }
    const response = await app.fetch("/next-tokens.arrow?prompt=a&k=101");
    assert.equal(response.status, 400);
    assert.equal((await response.json()).code, "BAD_USER_INPUT");
  }));
