import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { attention, choose, flow, pooled } from "../reference/flow.ts";
import { ORIGIN, type TestApp, withApp } from "../support/app.ts";
import { assertClose } from "../support/assert_close.ts";
import { readReference } from "../support/fixtures.ts";

const CART = "Mary and John went to the store. John gave the cart to";
const MODEL = { layers: 6, heads: 8, tokens: 14 };
const ATTENTION = `
  query (
    $prompt: String!, $layers: [Int!], $heads: [Int!], $bos: BosPolicy! = KEEP, $cells: Int
  ) {
    attention(prompt: $prompt, layers: $layers, heads: $heads, bos: $bos, cells: $cells) {
      id
      cacheHit
      tokens { index text }
      matrix { axes shape arrow url }
    }
  }`;

/** What a client reads from Arrow rows. */
function read(arrow: string): {
  columns: Record<string, number[]>;
  flow: number[];
  tokens: string[];
  metadata: Record<string, unknown>;
} {
  const table = tableFromIPC(Uint8Array.fromBase64(arrow));
  const columns: Record<string, number[]> = {};
  for (const name of ["layer", "head", "target", "dropped"]) {
    columns[name] = Array.from(table.getChild(name) ?? []);
  }
  const lists = Array.from(table.getChild("flow").toArray() as ArrayLike<number>[]);
  return {
    columns,
    flow: lists.flatMap((list) => Array.from(list)),
    tokens: Array.from(table.getChild("token")),
    metadata: JSON.parse(table.schema.metadata!.get("infoflow")!),
  };
}

Deno.test("attention gives the reference's patterns of the chosen heads, BOS kept or dropped", () =>
  withApp(async (app) => {
    const { tensors } = await readReference("bundled/cart");
    const patterns = tensors.get("patterns")!;
    const choices = [{}, { layers: [5], heads: [7] }, { layers: [1, 4], heads: [0, 2, 3] }];
    for (const bos of ["KEEP", "DROP"] as const) {
      for (const choice of choices) {
        for (const cells of [undefined, 5]) {
          const variables = { prompt: CART, bos, cells, ...choice };
          const { data: { attention: answer } } = await app.query(ATTENTION, variables);
          const span = cells ? 3 : 1; // 13 or 14 positions in 5 cells at most
          const { patterns: chosen, shape } = choose(patterns, MODEL, choice);
          const expected = attention(chosen, shape, { bos, span });
          const P = bos === "KEEP" ? 14 : 13;
          const K = Math.ceil(P / span);
          assert.deepEqual(answer.matrix.axes, ["layer", "head", "target", "source"]);
          assert.deepEqual(answer.matrix.shape, [shape.layers, shape.heads, K, K]);
          assert.equal(answer.tokens.length, P);

          const { columns, flow, tokens, metadata } = read(answer.matrix.arrow);
          assertClose(flow, expected.flow, { atol: 1e-5 });
          assertClose(columns.dropped!, expected.dropped, { atol: 1e-5 });
          const all = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
          const layers = choice.layers ?? all(6);
          const heads = choice.heads ?? all(8);
          const rows = layers.flatMap((layer) =>
            heads.flatMap((head) => all(K).map((k) => [layer, head, k * span]))
          );
          assert.deepEqual(columns.layer, rows.map(([layer]) => layer));
          assert.deepEqual(columns.head, rows.map(([, head]) => head));
          assert.deepEqual(columns.target, rows.map(([, , target]) => target));
          const texts = answer.tokens.map(({ text }: { text: string }) => text);
          assert.equal(tokens.slice(0, K).join(""), texts.join(""));
          assert.deepEqual(
            {
              layers: metadata.layers,
              heads: metadata.heads,
              span: metadata.span,
              bos: metadata.bos,
            },
            { layers, heads, span, bos },
          );
          assert.deepEqual(metadata.tokens, texts);
        }
      }
    }
    const { data } = await app.query("{ cache { misses } }");
    assert.equal(data.cache.misses, 1, "one forward pass for all");
  }));

const NARROWED = `
  query ($prompt: String!, $byLayer: Boolean!, $aggregation: Aggregation!, $layers: [Int!], $heads: [Int!]) {
    infoFlow(prompt: $prompt, byLayer: $byLayer, aggregation: $aggregation, layers: $layers, heads: $heads) {
      id
      matrix { shape values arrow url }
    }
  }`;

Deno.test("layers and heads narrow infoFlow to a model that has no others", () =>
  withApp(async (app) => {
    const { tensors } = await readReference("bundled/cart");
    for (const choice of [{ heads: [2] }, { layers: [1, 2] }, { layers: [0, 5], heads: [0, 7] }]) {
      for (const aggregation of ["MEAN", "NOTEBOOK", "ROLLOUT"] as const) {
        for (const byLayer of [false, true]) {
          const variables = { prompt: CART, aggregation, byLayer, ...choice };
          const { data: { infoFlow } } = await app.query(NARROWED, variables);
          const { patterns, shape } = choose(tensors.get("patterns")!, MODEL, choice);
          const expected = flow(patterns, shape, { byLayer, aggregation, bos: "DROP" });
          assertClose(infoFlow.matrix.values, expected.flow, { atol: 1e-5 });
          const { columns, metadata } = read(infoFlow.matrix.arrow);
          const layers = choice.layers ?? [0, 1, 2, 3, 4, 5];
          assert.deepEqual([...new Set(columns.layer)], byLayer ? layers : []);
          assert.deepEqual(metadata.layers, layers);
          await sameBytes(app, infoFlow);
        }
      }
    }
  }));

/** The link of a matrix gives what GraphQL gave. */
async function sameBytes(
  app: TestApp,
  { id, matrix: { url, arrow } }: { id: string; matrix: { url: string; arrow: string } },
): Promise<void> {
  const response = await app.fetch(url.slice(ORIGIN.length));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("etag"), `"${id}"`);
  assert.equal((await response.bytes()).toBase64(), arrow);
}

Deno.test("the url of an attention gives the same bytes, and the same id as its ETag", () =>
  withApp(async (app) => {
    const prompt = "a & b = c? 100 % ✓ +, layers=%2C";
    const variables = { prompt, layers: [3, 1], heads: [2], bos: "DROP", cells: 4 };
    const { data: { attention: answer } } = await app.query(ATTENTION, variables);
    assert.match(
      answer.matrix.url,
      /^[^?]*\/attention\.arrow\?prompt=.*&layers=1,3&heads=2&bos=DROP&cells=4$/,
    );
    await sameBytes(app, answer);
  }));

Deno.test("ids say which layers, heads and cells; two ways to say the same have one id", () =>
  withApp(async (app) => {
    const idOf = async (variables: Record<string, unknown>): Promise<string> =>
      (await app.query(ATTENTION, { prompt: CART, ...variables })).data.attention.id;
    const all = [0, 1, 2, 3, 4, 5];
    const different = [
      {},
      { layers: [1] },
      { heads: [1] },
      { layers: [1], heads: [1] },
      {
        bos: "DROP",
      },
      { cells: 5 },
      { cells: 7 },
      { layers: [1], cells: 7 },
    ];
    const ids = await Promise.all(different.map(idOf));
    assert.equal(new Set(ids).size, different.length);
    assert.equal(await idOf({ layers: all }), ids[0]);
    assert.equal(await idOf({ layers: null, cells: 14 }), ids[0]);
    assert.equal(await idOf({ layers: [1, 1], cells: 100 }), ids[1]);
    assert.equal(
      await idOf({ layers: [2, 1], heads: [3, 3] }),
      await idOf({ layers: [1, 2], heads: [3] }),
    );

    const flowId = async (choice: string): Promise<string> =>
      (await app.query(`{ infoFlow(prompt: "a b"${choice}) { id } }`)).data.infoFlow.id;
    const plain = await flowId("");
    assert.equal(await flowId(", layers: [5,4,3,2,1,0], heads: null"), plain);
    assert.notEqual(await flowId(", layers: [0]"), plain);
    assert.notEqual(await flowId(", heads: [0]"), await flowId(", layers: [0]"));
  }));

Deno.test("layers, heads and cells that can't be are BAD_USER_INPUT with the valid range", () =>
  withApp(async (app) => {
    const cases: [arguments_: string, query: string, message: RegExp, range: object][] = [
      ["layers: [6]", "layers=6", /Cannot choose layer 6 as the model has layers 0 to 5/, {
        min: 0,
        max: 5,
      }],
      ["heads: [0, 8]", "heads=0,8", /Cannot choose head 8 as the model has heads 0 to 7/, {
        min: 0,
        max: 7,
      }],
      ["cells: 0", "cells=0", /cells must be 1 at least: current value is 0/, { min: 1 }],
    ];
    for (const [argument, query, message, range] of cases) {
      for (const field of ["attention", "infoFlow"]) {
        if (field === "infoFlow" && argument.startsWith("cells")) continue;
        const { errors } = await app.query(`{ ${field}(prompt: "a", ${argument}) { id } }`);
        assert.match(errors![0]!.message, message);
        assert.deepEqual(errors![0]!.extensions, { code: "BAD_USER_INPUT", ...range });
        const path = field === "attention" ? "/attention.arrow" : "/info-flow.arrow";
        const response = await app.fetch(`${path}?prompt=a&${query}`);
        assert.equal(response.status, 400);
        const { title, ...rest } = await response.json();
        assert.match(title, message);
        assert.deepEqual(rest, { code: "BAD_USER_INPUT", status: 400, ...range });
      }
    }
    for (const list of ["layers: [-1]", "heads: [-1]", "layers: []", "heads: []", "cells: -3"]) {
      const { errors } = await app.query(`{ attention(prompt: "a", ${list}) { id } }`);
      assert.equal(errors![0]!.extensions.code, "BAD_USER_INPUT", list);
    }
    assert.equal((await app.query(`{ attention(prompt: "a") { id } }`)).errors, undefined);
  }));

Deno.test("a NUL, markup and a megabyte of one emoji in a prompt", () =>
  withApp(async (app) => {
    for (const prompt of ["a\0b\0", "<script>alert(1)</script> \"'&"]) {
      const { data: { attention: answer } } = await app.query(ATTENTION, { prompt });
      const { tokens, metadata } = read(answer.matrix.arrow);
      assert.equal(tokens.slice(1, answer.tokens.length).join(""), prompt);
      assert.equal(metadata.prompt, prompt);
      await sameBytes(app, answer);
    }
    for (
      const [emoji, code] of [[2 ** 18, "BODY_TOO_LARGE"], [2 ** 15, "PROMPT_TOO_LONG"]] as const
    ) {
      const { errors } = await app.query(ATTENTION, { prompt: "🍣".repeat(emoji) }); // four bytes each
      assert.equal(errors![0]!.extensions.code, code);
    }
    for (
      const [emoji, code] of [[2 ** 18, "URL_TOO_LONG"], [2 ** 10, "PROMPT_TOO_LONG"]] as const
    ) {
      const response = await app.fetch(
        `/attention.arrow?prompt=${encodeURIComponent("🍣".repeat(emoji))}`,
      );
      assert.equal((await response.json()).code, code);
    }
    assert.deepEqual(app.log, []);
  }));

Deno.test("flows have cells as attention has them, by every method, in GraphQL and by link", () =>
  withApp(async ({ query: ask, fetch }) => {
    const query = `query ($prompt: String!, $cells: Int, $method: Method!) {
      infoFlow(prompt: $prompt, cells: $cells, method: $method, byLayer: true) {
        matrix { shape values url }
      }
    }`;
    for (const method of ["ATTENTION", "ALTI"]) {
      const [whole, small] = await Promise.all([undefined, 5].map(async (cells) => {
        const { data } = await ask(query, { prompt: CART, cells, method });
        return data.infoFlow.matrix as { shape: number[]; values: number[]; url: string };
      }));
      assert.deepEqual([whole!.shape, small!.shape], [[6, 13, 13], [6, 5, 5]]);
      const expected = pooled(
        { flow: Float64Array.from(whole!.values), dropped: new Float64Array(6 * 13) },
        13,
        3,
      );
      // Of numbers that were rounded to float32 before they were added. Measured: 6.0e-8.
      assertClose(small!.values, expected.flow, { atol: 1e-6 });
      assert.match(small!.url, /cells=5/);
      const path = small!.url.slice(ORIGIN.length);
      const table = tableFromIPC(await (await fetch(path)).arrayBuffer());
      assert.equal(table.numRows, 6 * 5);
      assert.deepEqual(Array.from(table.getChild("target")!).slice(0, 5), [0, 3, 6, 9, 12]);
    }
  }));
