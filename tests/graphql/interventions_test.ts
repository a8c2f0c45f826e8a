import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { assertClose } from "../support/assert_close.ts";
import { ORIGIN, type TestApp, withApp } from "../support/app.ts";

const PROMPT = "Mary and John went to the store. John gave the cart to";
const OTHER = "Mary and John went to the store. Mary gave the cart to";
const LAYERS = 6;

/** Asks a question with `interventions: $changes` in it. */
async function ask(
  app: TestApp,
  question: string,
  changes: readonly Record<string, unknown>[] = [],
): Promise<
  // deno-lint-ignore no-explicit-any -- whatever was asked for
  any
> {
  const declared = question.includes("$changes") ? ", $changes: [InterventionInput!]" : "";
  const { data, errors } = await app.query(
    `query ($prompt: String${declared}) { answer: ${question} }`,
    { prompt: PROMPT, ...(declared && { changes }) },
  );
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data.answer;
}

const OF = "prompt: $prompt, interventions: $changes";
/** Every question that takes interventions. */
const QUESTIONS = [
  [`infoFlow(${OF}, method: ALTI)`, "matrix { url }"],
  [`infoFlow(${OF}, difference: true)`, "matrix { url }"],
  [`attention(${OF}, layers: [5])`, "matrix { url }"],
  [`nextTokens(${OF})`, "url"],
  [`logitLens(${OF}, positions: [-1])`, "url"],
  [`attribution(${OF}, token: " Mary", against: " John")`, "url"],
  [`headScores(${OF})`, "url"],
  [`routes(${OF})`, "url"],
] as const;

Deno.test("every question takes interventions, and its link says them", () =>
  withApp(async (app) => {
    const changes = [
      { site: "SCORES", layer: 1, action: "BLOCK", positions: [-1], sources: [1, 2] },
      { site: "RESID_MID", layer: 2, action: "REPLACE", from: OTHER, positions: [9] },
    ];
    for (const [question, fields] of QUESTIONS) {
      const plain = await ask(app, `${question} { id }`);
      const changed = await ask(app, `${question} { id ${fields} }`, changes);
      assert.notEqual(changed.id, plain.id, question);
      const url: string = changed.url ?? changed.matrix.url;
      const response = await app.fetch(url.slice(ORIGIN.length));
      assert.equal(response.status, 200, question);
      assert.equal(response.headers.get("etag"), `"${changed.id}"`, question);
    }
  }));

Deno.test("ablate is short for zeroing z, and a change that changes nothing is none", () =>
  withApp(async (app) => {
    const question = "prompt: $prompt, k: 5";
    const fields = "{ id predictions { id logit } }";
    const short = await ask(
      app,
      `nextTokens(${question}, ablate: [{ layer: 4, head: 0 }, { layer: 4, head: 3 }]) ${fields}`,
    );
    const long = await ask(app, `nextTokens(${question}, interventions: $changes) ${fields}`, [
      { site: "Z", layer: 4, heads: [3, 0], action: "ZERO" },
    ]);
    assert.deepEqual(long.predictions, short.predictions);
    const plain = await ask(app, `nextTokens(${question}) ${fields}`);
    const same = await ask(app, `nextTokens(${question}, interventions: $changes) ${fields}`, [
      { site: "MLP_OUT", layer: 4, action: "SCALE", factor: 1 },
    ]);
    assert.equal(same.id, plain.id);
    const own = await ask(app, `nextTokens(${question}, interventions: $changes) ${fields}`, [
      { site: "RESID_PRE", layer: 3, action: "REPLACE", from: PROMPT },
    ]);
    assert.deepEqual(own.predictions, plain.predictions, "its own values, to the bit");
    const donor = await ask(app, `nextTokens(${question}, interventions: $changes) ${fields}`, [
      { site: "RESID_PRE", layer: 0, action: "REPLACE", from: OTHER },
    ]);
    const { data } = await app.query(`{ nextTokens(prompt: "${OTHER}", k: 5) ${fields} }`);
    assert.deepEqual(donor.predictions, data.nextTokens.predictions);
  }));

Deno.test("an ablated head of the last layer is seen in a comparison", () =>
  withApp(async (app) => {
    const { comparison, matrix } = await ask(
      app,
      `infoFlow(prompt: $prompt, byLayer: true, compare: true, ablate: [{ layer: 5, head: 7 }]) {
        matrix { values } comparison { difference { matrix { values } } nextTokens { text change } }
      }`,
    );
    const size = matrix.values.length / LAYERS;
    const change: number[] = comparison.difference.matrix.values;
    assert(
      change.slice(0, 5 * size).every((value) => value === 0),
      "the layers below are as they were",
    );
    assert(change.slice(5 * size).some((value) => Math.abs(value) > 0.01));
    // Zeroed as an intervention it is the same head; a mean over the others is what the heads chosen by name give.
    const { matrix: zeroed } = await ask(
      app,
      `infoFlow(${OF}, byLayer: true) { matrix { values } }`,
      [{ site: "Z", layer: 5, heads: [7], action: "ZERO" }],
    );
    assert.deepEqual(zeroed.values, matrix.values);
    const { matrix: others } = await ask(
      app,
      "infoFlow(prompt: $prompt, byLayer: true, layers: [5], heads: [0, 1, 2, 3, 4, 5, 6]) { matrix { values } }",
    );
    assertClose(matrix.values.slice(5 * size), others.values, { atol: 1e-6 });
    assert(comparison.nextTokens.some((it: { change: number }) => Math.abs(it.change) > 0.01));
  }));

Deno.test("next tokens answer for tokens and positions that are named", () =>
  withApp(async (app) => {
    const fields =
      "{ predictions { id text logit probability } named { id text logit logProbability } arrow }";
    const all = await ask(app, `nextTokens(prompt: $prompt, k: 100) ${fields}`);
    const some = await ask(
      app,
      `nextTokens(prompt: $prompt, k: 2, tokens: [" John", " Mary", 1757]) ${fields}`,
    );
    assert.deepEqual(some.named.map((it: { text: string }) => it.text), [" John", " Mary"]);
    assert.deepEqual(some.predictions.map((it: { text: string }) => it.text).slice(2), [" John"]);
    const mary = all.predictions.find((it: { text: string }) => it.text === " Mary");
    // float32 sums on the device, float64 here.
    assertClose([some.named[1].logit], [mary.logit], { atol: 1e-4 });
    const table = tableFromIPC(Uint8Array.fromBase64(some.arrow));
    assert.deepEqual(Array.from(table.getChild("rank")), [0, 1, null]);
    const { data } = await app.query(
      `query ($prompt: String) { nextTokens(prompt: $prompt, k: 3) ${fields} }`,
      { prompt: "Mary and John went to the store. John" },
    );
    const earlier = await ask(app, `nextTokens(prompt: $prompt, k: 3, position: 9) ${fields}`);
    assert.deepEqual(earlier.predictions, data.nextTokens.predictions);
    const fromEnd = await ask(app, `nextTokens(prompt: $prompt, k: 3, position: -5) ${fields}`);
    assert.deepEqual(fromEnd.predictions, earlier.predictions);
  }));

Deno.test("attribution splits a difference, at any position, with or without interventions", () =>
  withApp(async (app) => {
    type Part = { kind: string; layer: number | null; head: number | null; value: number };
    const parts = async (more: string, changes: readonly Record<string, unknown>[] = []): Promise<{
      parts: Part[];
      token: { logit: number };
      against: { text: string } | null;
    }> =>
      await ask(
        app,
        `attribution(prompt: $prompt, interventions: $changes, ${more}) {
          token { logit } against { text } parts { kind layer head value }
        }`,
        changes,
      );
    const logits = async (more: string, changes: readonly Record<string, unknown>[] = []) =>
      (await ask(
        app,
        `nextTokens(prompt: $prompt, interventions: $changes, tokens: [" Mary", " John"] ${more}) { named { logit } }`,
        changes,
      )).named.map((it: { logit: number }) => it.logit) as [number, number];
    const [mary, john] = await logits("");
    const difference = await parts('token: " Mary", against: " John"');
    // float32 sums of parts up to 30 large. Measured: 1e-5.
    assertClose([difference.token.logit], [mary - john], { atol: 1e-4 });
    assert.equal(difference.against!.text, " John");
    const one = await parts('token: " Mary"');
    const other = await parts('token: " John"');
    const split = difference.parts.map(({ value }) => value);
    assertClose(split, one.parts.map(({ value }, at) => value - other.parts[at]!.value), {
      atol: 1e-4,
    });

    const best = await parts('token: " Mary", against: " John", top: 3, kind: HEAD');
    const heads = difference.parts.filter(({ kind }) => kind === "HEAD");
    const sorted = heads.toSorted((a, b) => Math.abs(b.value) - Math.abs(a.value));
    assert.deepEqual(best.parts, sorted.slice(0, 3));

    const [there] = await logits(", position: 4");
    assertClose([(await parts('token: " Mary", position: 4')).token.logit], [there], {
      atol: 1e-4,
    });

    const changes = [
      { site: "Z", layer: 4, heads: [0], positions: [-1], action: "SCALE", factor: 2 },
      { site: "ATTN_OUT", layer: 5, positions: [-1], action: "REPLACE", from: OTHER },
    ];
    const [changed, against] = await logits("", changes);
    assert(Math.abs(changed - mary) > 0.1);
    const after = await parts('token: " Mary", against: " John"', changes);
    assertClose([after.token.logit], [changed - against], { atol: 1e-4 });
    assert.deepEqual(
      after.parts.filter(({ kind }) => kind === "INTERVENTION").map(({ layer }) => layer),
      [4, 5],
    );
  }));

Deno.test("the lens answers for some positions", () =>
  withApp(async (app) => {
    const fields = "{ predictions { layer position rank id probability } }";
    const all = await ask(app, `logitLens(prompt: $prompt, k: 2) ${fields}`);
    const some = await ask(
      app,
      `logitLens(prompt: $prompt, k: 2, positions: [9, -1, 10]) ${fields}`,
    );
    const expected = all.predictions.filter((it: { position: number }) =>
      [9, 10, 13].includes(it.position)
    );
    assert.deepEqual(some.predictions, expected);
  }));

Deno.test("interventions that can't be are refused by what is wrong with them, and the server goes on", () =>
  withApp(async (app) => {
    const refused = async (change: Record<string, unknown>): Promise<string> => {
      const { errors } = await app.query(
        `query ($prompt: String, $changes: [InterventionInput!]) { nextTokens(${OF}) { predictions { id } } }`,
        { prompt: PROMPT, changes: [change] },
      );
      assert(errors, JSON.stringify(change));
      const { code } = errors[0]!.extensions;
      assert(
        ["BAD_USER_INPUT", "PROMPT_EMPTY", "PROMPT_TOO_LONG"].includes(String(code)),
        String(code),
      );
      return errors[0]!.message;
    };
    const z = { site: "Z", layer: 4, action: "ZERO" };
    const add = { site: "RESID_PRE", layer: 1, action: "ADD" };
    const replace = { site: "RESID_PRE", layer: 1, action: "REPLACE" };
    assert.match(await refused({ ...z, layer: 99 }), /from 0 to 5: current value is 99/);
    assert.match(await refused({ ...z, site: "RESID_PRE", heads: [0] }), /RESID_PRE has no heads/);
    assert.match(await refused({ ...add, vector: [1, 2] }), /vector must have 128 numbers/);
    assert.match(await refused({ ...add, vector: new Array(128).fill(1e39) }), /finite numbers/);
    assert.match(
      await refused({ ...add, vector: [3e38, ...new Array(127).fill(-3e38)] }),
      /beyond what float32 can hold/,
    );
    assert.match(
      await refused({ site: "MLP_OUT", layer: 2, action: "SCALE", factor: 3e38 }),
      /beyond what float32/,
    );
    assert.match(await refused({ ...replace, from: "" }), /empty/);
    assert.match(await refused({ ...replace, from: "a ".repeat(400) }), /256/);
    assert.match(
      await refused({ ...replace, from: "Mary" }),
      /the prompt has 14 tokens and the one that values come from 2/,
    );
    assert.match(
      await refused({ site: "SCORES", layer: 0, action: "BLOCK" }),
      /nothing left to attend to/,
    );
    const { status } = await app.fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body:
        `{"query": "query ($c: [InterventionInput!]) { nextTokens(prompt: \\"a\\", interventions: $c) { id } }",
        "variables": {"c": [{"site": "RESID_PRE", "layer": 0, "action": "ADD", "vector": [1e309]}]}}`,
    });
    assert(status === 200 || status === 400);
    assert.equal(
      (await ask(app, `nextTokens(prompt: $prompt) { predictions { text } }`)).predictions[0].text,
      " Mary",
    );
  }));
