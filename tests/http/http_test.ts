import assert from "node:assert/strict";
import { brotliDecompressSync, zstdDecompressSync } from "node:zlib";
import { tableFromIPC } from "@uwdata/flechette";
import { pathOf } from "../../src/server/links/paths.ts";
import { type Link, readLink } from "../../src/server/links/read_link.ts";
import { writeLink } from "../../src/server/links/write_link.ts";
import { ORIGIN, withApp } from "../support/app.ts";

Deno.test("GET /info-flow.arrow answers Arrow with an ETag, and 304 to clients that have it", () =>
  withApp(async (app) => {
    const path = "/info-flow.arrow?prompt=Hello%20world&byLayer=true";
    const response = await app.fetch(path);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/vnd.apache.arrow.stream");
    assert.match(
      response.headers.get("content-disposition")!,
      /^attachment; filename="info-flow-\w+\.arrows"$/,
    );
    const table = tableFromIPC(await response.bytes());
    assert.equal(table.numRows, 12);
    const etag = response.headers.get("etag")!;
    const again = await app.fetch(path, { headers: { "if-none-match": etag } });
    assert.equal(again.status, 304);
    assert.equal((await again.bytes()).length, 0);
    const { data } = await app.query("{ cache { hits misses } }");
    assert.deepEqual(data.cache, { hits: 0, misses: 1 }, "a 304 costs nothing");
  }));

Deno.test("GET /info-flow.arrow says what is wrong as problem+json", () =>
  withApp(async (app) => {
    const long = encodeURIComponent(" word".repeat(300));
    const cases: [path: string, status: number, body: Record<string, unknown>][] = [
      ["", 400, { code: "PROMPT_EMPTY" }],
      ["?prompt=", 400, { code: "PROMPT_EMPTY" }],
      [`?prompt=${long}`, 400, { code: "PROMPT_TOO_LONG", tokens: 301, limit: 256 }],
      ["?prompt=a&aggregation=mean", 400, { code: "BAD_USER_INPUT" }],
      ["?prompt=a&byLayer=yes", 400, { code: "BAD_USER_INPUT" }],
      ["?prompt=a&prompt=b", 400, { code: "BAD_USER_INPUT" }],
      ["?prompt=a&color=blue", 400, { code: "BAD_USER_INPUT" }],
      ["?prompt=%ED%A0%80", 400, { code: "BAD_USER_INPUT" }],
      ["?prompt=%zz", 400, { code: "BAD_USER_INPUT" }],
    ];
    for (const [query, status, expected] of cases) {
      const response = await app.fetch(`/info-flow.arrow${query}`);
      assert.equal(response.status, status, query);
      assert.equal(response.headers.get("content-type"), "application/problem+json");
      const { title, ...rest } = await response.json();
      assert.deepEqual(rest, { ...expected, status }, query);
      assert.equal(typeof title, "string");
    }
    assert.equal((await app.fetch("/info-flow.arrow?prompt=a")).status, 200);
  }));

Deno.test("readLink() reads what URLs say, in both ways of writing a space", () => {
  const args = {
    prompt: "a b=c&d",
    ids: undefined,
    interventions: undefined,
    specialTokens: false,
    byLayer: true,
    cells: undefined,
    aggregation: "ROLLOUT",
    bos: "KEEP",
    layers: [2, 0],
    heads: [1],
    method: "ALTI",
    ablate: [{ layer: 3, head: 1 }, { layer: 0, head: 2 }],
    compare: false,
    difference: true,
    targets: undefined,
    model: undefined,
  };
  const rest = "byLayer=true&aggregation=ROLLOUT&bos=KEEP&layers=2,0&heads=1&method=ALTI" +
    "&ablate=3.1,0.2&difference=true";
  for (const search of [`?prompt=a+b%3Dc%26d&${rest}`, `?${rest}&prompt=a%20b=c%26d`]) {
    const link = readLink("infoFlow", search, { isMatrix: true });
    assert.deepEqual(link, { args, form: { layout: "rows", format: "stream" } });
  }
});

Deno.test("what a link does not say is as in GraphQL", async () => {
  const defaults = { infoFlow: { byLayer: false, aggregation: "MEAN", bos: "DROP" } };
  const { args } = readLink("infoFlow", "?prompt=%2B", { isMatrix: true });
  assert.equal(args.prompt, "+");
  for (const [name, value] of Object.entries(defaults.infoFlow)) assert.equal(args[name], value);
  await withApp(async (app) => {
    const query = `{ nextTokens(prompt: "a b") { id } logitLens(prompt: "a b") { id }
      attribution(prompt: "a b") { id } headScores(prompt: "a b") { id }
      routes(prompt: "a b") { id } }`;
    const { data } = await app.query(query);
    for (const [field, { id }] of Object.entries(data as Record<string, { id: string }>)) {
      const response = await app.fetch(`${pathOf(field)}?prompt=a+b`);
      assert.equal(response.headers.get("etag"), `"${id}"`, field);
      await response.body?.cancel();
    }
  });
});

Deno.test("writeLink() writes what readLink() reads", () => {
  const args = {
    prompt: "a,b c",
    layers: [2, 0],
    ablate: [{ layer: 3, head: 1 }, { layer: 0, head: 2 }],
    bos: "KEEP",
  };
  const form = { layout: "tidy", format: "file" } as const;
  const link = writeLink("http://127.0.0.1:8000/", "infoFlow", args, form);
  assert.equal(
    link,
    "http://127.0.0.1:8000/info-flow.arrow?prompt=a%2Cb+c&bos=KEEP&layers=2,0&ablate=3.1,0.2&layout=tidy&format=file",
  );
  const read = readLink("infoFlow", new URL(link).search, { isMatrix: true });
  assert.deepEqual(read.form, form);
  for (const [name, value] of Object.entries(args)) assert.deepEqual(read.args[name], value);
});

Deno.test("readLink() reads lists in both ways of writing them", () => {
  const rest = "bos=DROP&cells=48&layout=tidy&format=file";
  for (const lists of ["layers=0,11&heads=3,4,5", "layers=0&layers=11&heads=3%2C4&heads=5"]) {
    assert.deepEqual(readAttention(`?prompt=a&${lists}&${rest}`), {
      args: {
        prompt: "a",
        ids: undefined,
        interventions: undefined,
        specialTokens: false,
        model: undefined,
        bos: "DROP",
        layers: [0, 11],
        heads: [3, 4, 5],
        cells: 48,
        targets: undefined,
      },
      form: { layout: "tidy", format: "file" },
    });
  }
  assert.equal(readAttention("?prompt=a").args.bos, "KEEP");
  for (const list of ["layers=", "layers=1,", "heads=1.5", "heads=all", "cells=1e2"]) {
    assert.throws(() => readAttention(`?prompt=a&${list}`), {
      code: "BAD_USER_INPUT",
      message: /must be (a whole number|whole numbers separated by commas): current value is/,
    });
  }
});

function readAttention(search: string): Link {
  return readLink("attention", search, { isMatrix: true });
}

Deno.test("/, /healthz, /readyz and what there isn't", () =>
  withApp(async (app) => {
    const page = await app.fetch("/");
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    assert.match(await page.text(), /href="graphql"/);
    assert.equal((await app.fetch("/healthz")).status, 200);
    assert.equal((await app.fetch("/readyz")).status, 200);
    const missing = await app.fetch("/nothing");
    assert.equal(missing.status, 404);
    assert.match(await missing.text(), /GraphQL at \/graphql/);
  }));

Deno.test("while the model is being loaded the process lives, but is not ready", () =>
  withApp(async (app) => {
    const status = async (path: string): Promise<number> => (await app.fetch(path)).status;
    assert.equal(await status("/healthz"), 200);
    assert.equal(await status("/readyz"), 503);
    assert.equal(await status("/info-flow.arrow?prompt=a"), 503);
    const response = await app.fetch("/graphql?query={__typename}");
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "1");
    assert.equal((await response.json()).errors[0].extensions.code, "OVERLOADED");
  }, { isLoaded: false }));

Deno.test("--public-url is where links begin", () =>
  withApp(async (app) => {
    const { data } = await app.query(`{ infoFlow(prompt: "a") { matrix { url } } }`);
    assert.match(
      data.infoFlow.matrix.url,
      /^https:\/\/flow\.example\/gpt2\/info-flow\.arrow\?prompt=a&/,
    );
  }, { publicUrl: "https://flow.example/gpt2/" }));

Deno.test("no answer may be read from another origin", () =>
  withApp(async (app) => {
    for (const path of ["/graphql?query={__typename}", "/info-flow.arrow?prompt=a", "/"]) {
      const response = await app.fetch(path, { headers: { origin: "https://elsewhere.example" } });
      assert.equal(response.headers.get("access-control-allow-origin"), null, path);
    }
  }));

Deno.test("GraphiQL comes compressed, with an ETag, to browsers only", () =>
  withApp(async (app) => {
    const headers = { accept: "text/html", "accept-encoding": "br, gzip" };
    const page = await app.fetch("/graphql", { headers });
    assert.equal(page.headers.get("content-encoding"), "br");
    const bytes = await page.bytes();
    assert(bytes.length < 3e6, `${bytes.length} bytes`);
    const html = brotliDecompressSync(bytes).toString();
    assert.match(html, /<title>Infoflow<\/title>/);
    const etag = page.headers.get("etag")!;
    const again = await app.fetch("/graphql", { headers: { ...headers, "if-none-match": etag } });
    assert.equal(again.status, 304);
    const plain = await app.fetch("/graphql", { headers: { accept: "text/html" } });
    assert.equal(plain.headers.get("content-encoding"), null);
    assert.equal(await plain.text(), html);

    const asked = await app.fetch("/graphql?query={__typename}", {
      headers: { accept: "application/json" },
    });
    assert.deepEqual(await asked.json(), { data: { __typename: "Query" } });
    assert(ORIGIN);
  }));

Deno.test("the page's files come compressed, weigh little, and 304 goes to who has them", () =>
  withApp(async (app) => {
    let weight = 0;
    for (const path of ["/", "/page.js", "/page.css", "/favicon.svg"]) {
      const headers = { "accept-encoding": "gzip, deflate, br, zstd" };
      const file = await app.fetch(path, { headers });
      assert.equal(file.status, 200, path);
      assert.equal(file.headers.get("content-encoding"), "zstd", path);
      const bytes = await file.bytes();
      weight += bytes.length;
      const plain = await (await app.fetch(path)).text();
      assert.equal(zstdDecompressSync(bytes).toString(), plain, path);
      const etag = file.headers.get("etag")!;
      const again = await app.fetch(path, { headers: { ...headers, "if-none-match": etag } });
      assert.equal(again.status, 304, path);
    }
    assert(weight < 100_000, `${weight} bytes`);
  }));
