import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { assertClose } from "../support/assert_close.ts";
import { ORIGIN, type TestApp, withApp } from "../support/app.ts";
import { readReference } from "../support/fixtures.ts";

const CART = "Mary and John went to the store. John gave the cart to";
const FLOW = `
  query ($prompt: String!, $byLayer: Boolean! = false, $aggregation: Aggregation! = MEAN, $bos: BosPolicy! = DROP) {
    infoFlow(prompt: $prompt, byLayer: $byLayer, aggregation: $aggregation, bos: $bos) {
      id
      cacheHit
      tokens { index id text start end }
      matrix { axes shape arrow url values }
    }
  }`;

/** The numbers of a base64 Arrow stream. */
function numbersOf(arrow: string): number[] {
  const lists = tableFromIPC(Uint8Array.fromBase64(arrow)).getChild("flow").toArray();
  return Array.from(lists as ArrayLike<number>[], (list) => Array.from(list)).flat();
}

async function codeOf(
  app: TestApp,
  query: string,
  variables?: Record<string, unknown>,
): Promise<unknown> {
  const { errors, data } = await app.query(query, variables);
  assert.equal(errors?.length, 1, JSON.stringify({ errors, data }));
  return errors![0]!.extensions;
}

Deno.test("infoFlow gives the reference's numbers, once computed, then from the cache", () =>
  withApp(async (app) => {
    const { ids, tensors } = await readReference("bundled/cart");
    const cases = [
      ["info_flow_mean", { byLayer: false }, ["target", "source"], [13, 13]],
      ["info_flow_by_layer", { byLayer: true }, ["layer", "target", "source"], [6, 13, 13]],
      ["info_flow_notebook", { aggregation: "NOTEBOOK" }, ["target", "source"], [13, 13]],
      ["rollout", { aggregation: "ROLLOUT", bos: "KEEP" }, ["target", "source"], [14, 14]],
    ] as const;
    for (const [index, [tensor, options, axes, shape]] of cases.entries()) {
      const { data: { infoFlow } } = await app.query(FLOW, { prompt: CART, ...options });
      assert.equal(infoFlow.cacheHit, index > 0);
      assert.deepEqual(infoFlow.matrix.axes, axes);
      assert.deepEqual(infoFlow.matrix.shape, shape);
      const expected = tensors.get(tensor)!;
      assertClose(infoFlow.matrix.values, expected, { atol: 1e-5 });
      assert.deepEqual(numbersOf(infoFlow.matrix.arrow), infoFlow.matrix.values);
      const labels = tensor === "rollout" ? ids : ids.slice(1);
      assert.deepEqual(infoFlow.tokens.map(({ id }: { id: number }) => id), labels);
      infoFlow.tokens.forEach(({ index }: { index: number }, i: number) => assert.equal(index, i));
    }
    const { data: { cache } } = await app.query(
      "{ cache { entries hits misses evictions bytes budget } }",
    );
    assert.deepEqual({ ...cache, bytes: 0 }, {
      entries: 1,
      hits: 3,
      misses: 1,
      evictions: 0,
      bytes: 0,
      budget: 64 * 2 ** 20,
    });
    assert(cache.bytes > 0 && cache.bytes < 1e6);
  }));

Deno.test("the url of a matrix gives the same bytes, and the same id as its ETag", () =>
  withApp(async (app) => {
    const prompt = "a & b = c? 100 % ✓ +";
    const { data: { infoFlow } } = await app.query(FLOW, { prompt, byLayer: true, bos: "KEEP" });
    const { url, arrow } = infoFlow.matrix;
    assert(url.startsWith(`${ORIGIN}/info-flow.arrow?`), url);
    const response = await app.fetch(url.slice(ORIGIN.length));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("etag"), `"${infoFlow.id}"`);
    assert.equal((await response.bytes()).toBase64(), arrow);
  }));

Deno.test("the same prompt asked twice at once runs once", () =>
  withApp(async (app) => {
    const answers = await Promise.all([
      app.query(FLOW, { prompt: CART }),
      app.query(FLOW, { prompt: CART }),
      app.query(FLOW, { prompt: CART, byLayer: true }),
    ]);
    const hits = answers.map(({ data }) => data.infoFlow.cacheHit);
    assert.deepEqual(hits.sort(), [false, true, true]);
    const { data } = await app.query("{ cache { misses entries } }");
    assert.deepEqual(data.cache, { misses: 1, entries: 1 });
  }));

Deno.test("same id, same bytes; another option, another id", () =>
  withApp(async (app) => {
    const ids = new Map<string, string>();
    for (const prompt of ["one", "two"]) {
      for (const byLayer of [false, true]) {
        for (const aggregation of ["MEAN", "NOTEBOOK", "ROLLOUT"]) {
          for (const bos of ["DROP", "KEEP"]) {
            const variables = { prompt, byLayer, aggregation, bos };
            const first = (await app.query(FLOW, variables)).data.infoFlow;
            const again = (await app.query(FLOW, variables)).data.infoFlow;
            assert.equal(again.id, first.id);
            assert.equal(again.matrix.arrow, first.matrix.arrow);
            assert(!ids.has(first.id));
            ids.set(first.id, first.matrix.arrow);
          }
        }
      }
    }
  }));

Deno.test("what an infoFlow is about costs no forward pass", () =>
  withApp(async (app) => {
    await app.query(
      `{ infoFlow(prompt: "Hello") { id tokens { text } matrix { axes shape url } } }`,
    );
    const { data } = await app.query("{ cache { misses } }");
    assert.equal(data.cache.misses, 0);
  }));

Deno.test("tokens are those of the prompt, BOS first", () =>
  withApp(async (app) => {
    const { data } = await app.query(`{ tokens(prompt: "a 🍣") { index id text start end } }`);
    assert.deepEqual(data.tokens, [
      { index: 0, id: 50256, text: "<|endoftext|>", start: 0, end: 0 },
      { index: 1, id: 64, text: "a", start: 0, end: 1 },
      { index: 2, id: 12520, text: "\\x20\\xf0\\x9f", start: 1, end: 4 },
      { index: 3, id: 235, text: "\\x8d", start: 4, end: 4 },
      { index: 4, id: 96, text: "\\xa3", start: 4, end: 4 },
    ]);
  }));

Deno.test("model and device say what answers", () =>
  withApp(async (app) => {
    const { data } = await app.query(`{
      model { name layers heads channels context vocabulary fingerprint weights }
      device { vendor architecture description isFallback }
    }`);
    assert.match(data.model.fingerprint, /^[0-9a-f]{32}$/);
    assert.deepEqual({ ...data.model, fingerprint: "" }, {
      name: "bundled",
      layers: 6,
      heads: 8,
      channels: 128,
      context: 256,
      vocabulary: 50257,
      fingerprint: "",
      weights: "F32",
    });
    assert.equal(typeof data.device.isFallback, "boolean");
    assert.equal(typeof data.device.description, "string");
  }));

Deno.test("pciAddresses of the device lists the cards of its kind", async () => {
  const { vendor, device } = (await navigator.gpu.requestAdapter())!.info;
  const card = { address: "0000:01:00.0", vendor: Number(vendor), device: Number(device) };
  const cards = [card, { ...card, address: "0000:02:00.0", device: card.device + 1 }];
  await withApp(async ({ query }) => {
    const { data } = await query("{ device { pciAddresses } }");
    assert.deepEqual(data.device.pciAddresses, ["0000:01:00.0"]);
  }, { models: { adapter: { cards } } });
});

const ID = "query ($prompt: String!) { infoFlow(prompt: $prompt) { id } }";

Deno.test("bad input gets its code, and afterwards a good request its answer", () =>
  withApp(async (app) => {
    const before = (await app.query(FLOW, { prompt: CART })).data.infoFlow.matrix.values;

    assert.deepEqual(await codeOf(app, ID, { prompt: "" }), { code: "PROMPT_EMPTY" });
    assert.deepEqual(await codeOf(app, ID, { prompt: " word".repeat(256) }), {
      code: "PROMPT_TOO_LONG",
      tokens: 257,
      limit: 256,
    });
    assert.deepEqual(await codeOf(app, ID, { prompt: "x".repeat(2e5) }), {
      code: "PROMPT_TOO_LONG",
      tokens: 1564,
      limit: 256,
    });
    assert.deepEqual(await codeOf(app, ID, { prompt: "a\ud800" }), { code: "BAD_USER_INPUT" });
    assert.deepEqual(await codeOf(app, `{ infoFlow(prompt: "a", bos: LOSE) { id } }`), {
      code: "BAD_USER_INPUT",
    });
    assert.deepEqual(await codeOf(app, FLOW, { prompt: "a", aggregation: "MEDIAN" }), {
      code: "BAD_USER_INPUT",
    });
    assert.deepEqual(await codeOf(app, `{ infoFlow(prompt: 7) { id } }`), {
      code: "BAD_USER_INPUT",
    });
    assert.deepEqual(await codeOf(app, ID), { code: "BAD_USER_INPUT" });
    assert.deepEqual(await codeOf(app, "{ infoFlow("), { code: "BAD_USER_INPUT" });
    assert.deepEqual(await codeOf(app, FLOW, { prompt: " word".repeat(70) }), {
      code: "MATRIX_TOO_LARGE",
      values: 4900,
      limit: 4096,
    });

    const { data: { infoFlow } } = await app.query(FLOW, { prompt: CART });
    assert.deepEqual(infoFlow.matrix.values, before);
    assert.equal(infoFlow.cacheHit, true);
  }));

Deno.test("values are listed to 4,096 numbers and refused above, with a hint", () =>
  withApp(async (app) => {
    const query =
      "query ($prompt: String!) { infoFlow(prompt: $prompt) { matrix { shape values } } }";
    const { data } = await app.query(query, { prompt: " word".repeat(64) });
    assert.equal(data.infoFlow.matrix.values.length, 4096);
    const { errors } = await app.query(query, { prompt: " word".repeat(65) });
    assert.match(
      errors![0]!.message,
      /65 x 65 = 4,225 numbers .* ask for `arrow` or `url` instead/,
    );
    assert.deepEqual(errors![0]!.path, ["infoFlow", "matrix", "values"]);
  }));

Deno.test("every type, field and argument of the schema has a description", () =>
  withApp(async (app) => {
    const { data } = await app.query(`{ __schema { types {
      name description
      fields { name description }
      enumValues { name description }
    } } }`);
    for (const type of data.__schema.types) {
      if (
        type.name.startsWith("__") ||
        ["String", "Boolean", "Int", "Float", "ID"].includes(type.name)
      ) continue;
      assert(type.description, type.name);
      const selfEvident = ["layers", "vendor", "architecture", "description"];
      for (const { name, description } of [...type.fields ?? [], ...type.enumValues ?? []]) {
        assert(
          description || selfEvident.includes(name) || name === "tokens",
          `${type.name}.${name}`,
        );
      }
    }
  }));

Deno.test("a body that is no GraphQL request is BAD_USER_INPUT", () =>
  withApp(async (app) => {
    const response = await app.fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "[not json",
    });
    assert.equal(response.status, 400);
    const { errors } = await response.json();
    assert.equal(errors[0].extensions.code, "BAD_USER_INPUT");
    assert.deepEqual(app.log, []);
  }));

Deno.test("an error that was not meant for clients is masked, and the log has it by its id", () =>
  withApp(async (app) => {
    const prompt = "a b"; // the prompt of 3 tokens that the worker's submissions fail for
    const [error] = (await app.query(FLOW, { prompt })).errors!;
    const got = await app.fetch(`/info-flow.arrow?prompt=${encodeURIComponent(prompt)}`);
    assert.equal(got.status, 500);
    const asked = [String(error!.extensions.id), error!.message] as const;
    for (const [id, text] of [asked, await idAndTitle(got)]) {
      assert(!text.includes("submission"));
      const line = ` error id=${id} message="Error: a submission that fails`;
      assert(app.log.some((logged) => logged.includes(line)), app.log.join("\n"));
    }
  }, { models: { module: new URL("../queue/faulty_worker.ts?hiccups", import.meta.url) } }));

async function idAndTitle(response: Response): Promise<[string, string]> {
  const { id, title } = await response.json();
  return [id, title];
}
