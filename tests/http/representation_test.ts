import assert from "node:assert/strict";
import zlib from "node:zlib";
import { ORIGIN, type TestApp, withApp } from "../support/app.ts";

const PATH = "/info-flow.arrow?prompt=Hello+world,+hello+again&byLayer=true";
const FILE = `${PATH}&format=file`;

type Init = Record<string, string>;

async function get(app: TestApp, path: string, headers: Init = {}): Promise<Response> {
  return await app.fetch(path, { headers });
}

Deno.test("a file has its length, its type and a tag of its own, and begins as files do", () =>
  withApp(async (app) => {
    const stream = await get(app, PATH);
    const file = await get(app, FILE);
    const bytes = await file.bytes();
    assert.equal(file.headers.get("content-type"), "application/vnd.apache.arrow.file");
    assert.equal(file.headers.get("content-length"), String(bytes.length));
    assert.equal(file.headers.get("accept-ranges"), "bytes");
    assert.match(file.headers.get("content-disposition")!, /"info-flow-\w{8}\.arrow"$/);
    assert.equal(new TextDecoder().decode(bytes.subarray(0, 6)), "ARROW1");
    assert.equal(new TextDecoder().decode(bytes.subarray(-6)), "ARROW1");
    const tidy = await get(app, `${FILE}&layout=tidy`);
    assert.match(tidy.headers.get("content-disposition")!, /"info-flow-\w{8}-tidy\.arrow"$/);
    const tags = [stream, file, tidy].map(({ headers }) => headers.get("etag"));
    assert.equal(new Set(tags).size, 3);
  }));

Deno.test("parts of a file are its bytes", () =>
  withApp(async (app) => {
    const whole = await (await get(app, FILE)).bytes();
    const size = whole.length;
    const parts: [range: string, first: number, last: number][] = [
      ["bytes=0-7", 0, 7],
      ["bytes=8-", 8, size - 1],
      ["bytes=-10", size - 10, size - 1],
      [`bytes=${size - 1}-${size + 5}`, size - 1, size - 1],
      [`bytes=-${size + 5}`, 0, size - 1],
    ];
    for (const [range, first, last] of parts) {
      // A part is one of the bytes as they are, whatever could be decoded.
      const part = await get(app, FILE, { range, "accept-encoding": "gzip, br" });
      assert.equal(part.status, 206, range);
      assert.equal(part.headers.get("content-range"), `bytes ${first}-${last}/${size}`);
      assert.equal(part.headers.get("content-length"), String(last + 1 - first));
      assert.equal(part.headers.get("content-encoding"), null);
      assert.deepEqual(await part.bytes(), whole.slice(first, last + 1));
    }
    for (const range of ["bytes=0-1,4-5", "bytes=5-2", "lines=0-1"]) {
      const all = await get(app, FILE, { range });
      assert.equal(all.status, 200, range);
      assert.deepEqual(await all.bytes(), whole);
    }
    const beyond = await get(app, FILE, { range: `bytes=${size}-` });
    assert.equal(beyond.status, 416);
    assert.equal(beyond.headers.get("content-range"), `bytes */${size}`);
    assert.equal((await beyond.bytes()).length, 0);
    const { data } = await app.query("{ cache { hits misses } }");
    assert.deepEqual(data.cache, { hits: 0, misses: 1 }, "the parts are cut from one file");
  }));

Deno.test("If-Range sends a part to who has the rest, and all to who has something else", () =>
  withApp(async (app) => {
    const etag = (await get(app, FILE)).headers.get("etag")!;
    const range = "bytes=0-7";
    const statuses: [tag: string, status: number][] = [
      [etag, 206],
      [`W/${etag}`, 200],
      ['"another"', 200],
      ["Wed, 21 Oct 2015 07:28:00 GMT", 200],
    ];
    for (const [tag, status] of statuses) {
      const response = await get(app, FILE, { range, "if-range": tag });
      assert.equal(response.status, status, tag);
    }
    const beyond = await get(app, FILE, { range: "bytes=99999999-", "if-range": '"another"' });
    assert.equal(beyond.status, 200, "a range that does not apply can't be beyond the end");
  }));

Deno.test("answers are compressed as the client likes best, each coding with a tag of its own", () =>
  withApp(async (app) => {
    const plain = await get(app, PATH);
    const bytes = await plain.bytes();
    const etags = new Set([plain.headers.get("etag")]);
    const codings = {
      zstd: zlib.zstdDecompressSync,
      br: zlib.brotliDecompressSync,
      gzip: zlib.gunzipSync,
    };
    for (const [coding, decode] of Object.entries(codings)) {
      const response = await get(app, PATH, { "accept-encoding": `${coding}, identity;q=0.5` });
      assert.equal(response.headers.get("content-encoding"), coding);
      assert.equal(response.headers.get("vary"), "accept-encoding, accept");
      assert.deepEqual(new Uint8Array(decode(await response.bytes())), bytes);
      const etag = response.headers.get("etag")!;
      etags.add(etag);
      const again = await get(app, PATH, { "accept-encoding": coding, "if-none-match": etag });
      assert.equal(again.status, 304);
      assert.equal(again.headers.get("etag"), etag);
      assert.equal(again.headers.get("vary"), "accept-encoding, accept");
    }
    assert.equal(etags.size, 4);
  }));

Deno.test("If-None-Match answers 304 to lists, weak tags and *, before anything is computed", () =>
  withApp(async (app) => {
    const { data } = await app.query(
      `{ infoFlow(prompt: "Hello world, hello again", byLayer: true) { id } }`,
    );
    const { id } = data.infoFlow;
    for (const tags of [`"${id}"`, `W/"${id}"`, `"a", "${id}"`, "*"]) {
      const response = await get(app, PATH, { "if-none-match": tags, range: "bytes=0-1" });
      assert.equal(response.status, 304, tags);
      assert.equal(response.headers.get("content-type"), null);
    }
    assert.equal((await app.query("{ cache { misses } }")).data.cache.misses, 0);
    assert.equal((await get(app, PATH, { "if-none-match": '"a"' })).status, 200);
    assert.equal((await get(app, FILE, { "if-none-match": `"${id}"` })).status, 200);
  }));

Deno.test("HEAD says what GET would, without a body", () =>
  withApp(async (app) => {
    for (const path of [PATH, FILE, "/attention.arrow?prompt=Hello&layout=tensor&format=file"]) {
      const got = await get(app, path);
      const head = await app.fetch(path, { method: "HEAD", headers: { range: "bytes=0-1" } });
      assert.equal(head.status, 200);
      assert.equal((await head.bytes()).length, 0);
      assert.deepEqual(Object.fromEntries(head.headers), Object.fromEntries(got.headers));
      assert.equal(Number(head.headers.get("content-length")), (await got.bytes()).length);
    }
    const bad = await app.fetch("/attention.arrow?prompt=", { method: "HEAD" });
    assert.equal(bad.status, 400);
  }));

Deno.test("layouts and formats that there are not are refused with those that there are", () =>
  withApp(async (app) => {
    for (const path of ["/info-flow.arrow", "/attention.arrow"]) {
      const layout = await (await get(app, `${path}?prompt=a&layout=wide`)).json();
      assert.deepEqual({ code: layout.code, status: layout.status }, {
        code: "BAD_USER_INPUT",
        status: 400,
      });
      assert.match(layout.title, /layout must be one of rows, tensor, tidy: current value is wide/);
      const format = await (await get(app, `${path}?prompt=a&format=<script>`)).json();
      assert.match(format.title, /format must be one of stream, file: current value is <script>/);
    }
    const { errors } = await app.query(
      `{ infoFlow(prompt: "a") { matrix { arrow(layout: WIDE) url(format: ZIP) } } }`,
    );
    assert.deepEqual(errors!.map(({ extensions }) => extensions.code), [
      "BAD_USER_INPUT",
      "BAD_USER_INPUT",
    ]);
  }));

const ARROW = "application/vnd.apache.arrow.stream";

async function ask(app: TestApp, query: string, headers: Init = {}): Promise<Response> {
  return await app.fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", accept: ARROW, ...headers },
    body: JSON.stringify({ query }),
  });
}

Deno.test("GraphQL answers who asks for Arrow with the bytes of the one matrix", () =>
  withApp(async (app) => {
    const field = `infoFlow(prompt: "Hello world")`;
    const { data: { infoFlow: { matrix, id } } } = await app.query(
      `{ ${field} { id matrix { arrow tidy: arrow(layout: TIDY) url(layout: TIDY, format: FILE) } } }`,
    );
    const response = await ask(app, `{ ${field} { matrix { shape } } }`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), ARROW);
    assert.equal(response.headers.get("etag"), `"${id}"`);
    assert.equal(response.headers.get("vary"), "accept-encoding, accept");
    assert.equal((await response.bytes()).toBase64(), matrix.arrow);

    const tidy = await ask(app, `{ ${field} { matrix { arrow(layout: TIDY) } } }`, {
      accept: `${ARROW}, application/json;q=0.5`,
      "accept-encoding": "gzip",
    });
    assert.equal(tidy.headers.get("content-encoding"), "gzip");
    assert.equal(zlib.gunzipSync(await tidy.bytes()).toString("base64"), matrix.tidy);

    const file = await ask(app, `{ ${field} { matrix { arrow(layout: TIDY) } } }`, {
      accept: "application/vnd.apache.arrow.file",
    });
    const linked = await app.fetch(matrix.url.slice(ORIGIN.length));
    assert.deepEqual(await file.bytes(), await linked.bytes());

    const query = encodeURIComponent(`{ ${field} { matrix { shape } } }`);
    const got = await app.fetch(`/graphql?query=${query}`, { headers: { accept: ARROW } });
    assert.equal((await got.bytes()).toBase64(), matrix.arrow);
    const again = await app.fetch(`/graphql?query=${query}`, {
      headers: { accept: ARROW, "if-none-match": `"${id}"` },
    });
    assert.equal(again.status, 304);
  }));

Deno.test("GraphQL says why it can't answer with Arrow, in JSON", () =>
  withApp(async (app) => {
    const two =
      `a: infoFlow(prompt: "a") { matrix { shape } } b: attention(prompt: "a") { matrix { shape } }`;
    const layouts = `infoFlow(prompt: "a") { matrix { a: arrow b: arrow(layout: TIDY) } }`;
    for (const [query, matrices] of [["model { name }", 0], [two, 2], [layouts, 2]] as const) {
      const response = await ask(app, `{ ${query} }`);
      assert.equal(response.status, 400);
      const [error] = (await response.json()).errors;
      assert.match(error.message, /the query must select one matrix: current value is \d/);
      assert.deepEqual(error.extensions, { code: "BAD_USER_INPUT", matrices });
    }
    const cases: [query: string, code: string][] = [
      [`infoFlow(prompt: "") { matrix { shape } }`, "PROMPT_EMPTY"],
      [`attention(prompt: "a", layers: [9]) { matrix { shape } }`, "BAD_USER_INPUT"],
      [`nothing`, "BAD_USER_INPUT"],
    ];
    for (const [query, code] of cases) {
      const response = await ask(app, `{ ${query} }`);
      assert.match(response.headers.get("content-type")!, /json/);
      assert.equal((await response.json()).errors[0].extensions.code, code);
    }
    for (const accept of ["application/json", `${ARROW};q=0.1, application/json`, "*/*"]) {
      const response = await ask(app, `{ model { name } }`, { accept });
      assert.equal((await response.json()).data.model.name, "bundled", accept);
    }
  }));
