import assert from "node:assert/strict";
import { METHODS } from "../../src/flow/definitions.ts";
import { ORIGIN, type TestApp, withApp } from "../support/app.ts";

const FLOW =
  `query ($prompt: String!, $byLayer: Boolean! = false, $aggregation: Aggregation! = MEAN,
    $bos: BosPolicy! = DROP, $layers: [Int!], $heads: [Int!], $method: Method! = ATTENTION, $ablate: [HeadInput!]) {
  infoFlow(prompt: $prompt, byLayer: $byLayer, aggregation: $aggregation, bos: $bos, layers: $layers, heads: $heads,
      method: $method, ablate: $ablate) {
    id cacheHit matrix { shape url arrow values }
  }
}`;
const PROMPT = "Mary and John went to the store. John gave";

async function errorOf(app: TestApp, variables: Record<string, unknown>): Promise<unknown> {
  const { errors } = await app.query(FLOW, { prompt: PROMPT, ...variables });
  const { code, ...details } = errors![0]!.extensions;
  return { code, details, message: errors![0]!.message };
}

Deno.test("every method has a link that gives the same bytes, and an id of its own", () =>
  withApp(async (app) => {
    const ids = new Set<string>();
    for (const method of METHODS) {
      const variables = { prompt: PROMPT, method, ablate: [{ layer: 1, head: 2 }] };
      const { infoFlow } = (await app.query(FLOW, variables)).data;
      const response = await app.fetch(infoFlow.matrix.url.slice(ORIGIN.length));
      assert.equal(response.headers.get("etag"), `"${infoFlow.id}"`);
      assert.equal((await response.bytes()).toBase64(), infoFlow.matrix.arrow);
      ids.add(infoFlow.id);
    }
    assert.equal(ids.size, METHODS.length);
  }));

Deno.test("ablating nothing, and ATTENTION, change no byte", () =>
  withApp(async (app) => {
    const plain = (await app.query(FLOW, { prompt: PROMPT })).data.infoFlow;
    for (const variables of [{ ablate: [] }, { ablate: null }, { method: "ATTENTION" }]) {
      const { infoFlow } = (await app.query(FLOW, { prompt: PROMPT, ...variables })).data;
      assert.deepEqual({ ...infoFlow, cacheHit: false }, plain);
    }
  }));

Deno.test("what a method does not define, and heads that there aren't, get a code and the valid range", () =>
  withApp(async (app) => {
    for (const method of ["VALUE_NORM", "ATTENTION_NORM", "ROUTES"]) {
      assert.deepEqual(await errorOf(app, { method, aggregation: "ROLLOUT" }), {
        code: "BAD_USER_INPUT",
        details: { aggregation: "ROLLOUT", valid: "MEAN, NOTEBOOK" },
        message:
          `Cannot aggregate ${method} by ROLLOUT as its paper defines no product of layers: the aggregations are MEAN, NOTEBOOK`,
      });
    }
    assert.deepEqual(await errorOf(app, { ablate: [{ layer: 6, head: 0 }] }), {
      code: "BAD_USER_INPUT",
      details: { lastLayer: 5, lastHead: 7 },
      message: "Cannot switch off head 0 of layer 6 as layers are 0 to 5 and heads 0 to 7",
    });
    const { code } = await errorOf(app, { method: "ALTI", heads: [1] }) as { code: string };
    assert.equal(code, "BAD_USER_INPUT");
  }));
