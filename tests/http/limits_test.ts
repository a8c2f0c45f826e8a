import assert from "node:assert/strict";
import { SIZE_LIMITS } from "../../src/server/http/size_limits.ts";
import { ORIGIN, type TestApp, withApp } from "../support/app.ts";

const JSON_TYPE = { "content-type": "application/json" };

/** A GraphQL request whose body has so many bytes. */
function bodyOf(bytes: number): string {
  const body = (comment: string): string => JSON.stringify({ query: `{__typename}#${comment}` });
  return body("x".repeat(bytes - body("").length));
}

async function ask(app: TestApp, init: RequestInit): Promise<[status: number, body: unknown]> {
  const response = await app.fetch("/graphql", init);
  return [response.status, await response.json()];
}

for (const isChunked of [false, true]) {
  Deno.test(`a body of 256 KiB is read and one of a byte more refused${isChunked ? ", in chunks too" : ""}`, () =>
    withApp(async (app) => {
      const init = (bytes: number): RequestInit => {
        const body = bodyOf(bytes);
        if (isChunked) {
          return { method: "POST", headers: JSON_TYPE, body: new Blob([body]).stream() };
        }
        const headers = { ...JSON_TYPE, "content-length": String(bytes) };
        return { method: "POST", headers, body };
      };
      assert.deepEqual(await ask(app, init(SIZE_LIMITS.body)), [200, {
        data: { __typename: "Query" },
      }]);
      const [status, body] = await ask(app, init(SIZE_LIMITS.body + 1));
      assert.equal(status, 413);
      assert.deepEqual((body as { errors: { extensions: unknown }[] }).errors[0]!.extensions, {
        code: "BODY_TOO_LARGE",
        limit: 256 * 1024,
      });
    }));
}

Deno.test("a URL of 16 KiB is read and one of a byte more refused", () =>
  withApp(async (app) => {
    const path = (bytes: number): string => {
      const start = "/graphql?query={__typename}&operationName=&x=";
      return start + "x".repeat(bytes - ORIGIN.length - start.length);
    };
    const fine = await app.fetch(path(SIZE_LIMITS.url));
    assert.deepEqual(await fine.json(), { data: { __typename: "Query" } });
    const long = await app.fetch(path(SIZE_LIMITS.url + 1));
    assert.equal(long.status, 414);
    assert.equal((await long.json()).errors[0].extensions.code, "URL_TOO_LONG");
  }));

Deno.test("headers of 32 KiB are read and a byte more refused", () =>
  withApp(async (app) => {
    const headers = (bytes: number): Record<string, string> => ({ x: "x".repeat(bytes - 1) });
    const status = async (bytes: number): Promise<number> => {
      const response = await app.fetch("/healthz", { headers: headers(bytes) });
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await status(SIZE_LIMITS.headers), 200);
    assert.equal(await status(SIZE_LIMITS.headers + 1), 431);
  }));

Deno.test("uploads and batches are off", () =>
  withApp(async (app) => {
    const form = new FormData();
    form.set("operations", JSON.stringify({ query: "{__typename}" }));
    form.set("map", "{}");
    const upload = await app.fetch("/graphql", { method: "POST", body: form });
    assert.equal(upload.status, 415);
    await upload.body?.cancel();
    const batch = JSON.stringify([{ query: "{__typename}" }, { query: "{__typename}" }]);
    const [status, body] = await ask(app, { method: "POST", headers: JSON_TYPE, body: batch });
    assert.equal(status, 400);
    assert.match(JSON.stringify(body), /Batching is not supported/);
  }));

Deno.test("with a token, nothing but the health is told without it", () =>
  withApp(async (app) => {
    const basic = (text: string): string => `Basic ${btoa(text)}`;
    const cases: [authorization: string | undefined, status: number][] = [
      [undefined, 401],
      ["Bearer opensesame", 200],
      ["bearer opensesame", 200],
      [basic("anybody:opensesame"), 200],
      [basic(":opensesame"), 200],
      ["Bearer opensesam", 401],
      ["Bearer opensesame!", 401],
      ["Bearer ", 401],
      ["opensesame", 401],
      [basic("opensesame:"), 401],
      ["Basic %%%", 401],
    ];
    for (const path of ["/", "/graphql?query={__typename}", "/info-flow.arrow?prompt=a", "/x"]) {
      for (const [authorization, expected] of cases) {
        const headers: Record<string, string> = authorization ? { authorization } : {};
        const response = await app.fetch(path, { headers });
        await response.body?.cancel();
        assert.equal(
          response.status,
          expected === 200 && path === "/x" ? 404 : expected,
          `${path} with ${authorization}`,
        );
        if (expected === 401) assert.match(response.headers.get("www-authenticate")!, /^Basic /);
      }
    }
    for (const path of ["/healthz", "/readyz"]) {
      assert.equal((await app.fetch(path)).status, 200, path);
    }
  }, { policy: { token: "opensesame" } }));

Deno.test("every answer has its security headers", () =>
  withApp(async (app) => {
    for (const path of ["/", "/graphql", "/info-flow.arrow?prompt=a", "/healthz", "/nothing"]) {
      for (const accept of ["*/*", "text/html"]) {
        const { headers, body } = await app.fetch(path, { headers: { accept } });
        await body?.cancel();
        assert.equal(headers.get("x-content-type-options"), "nosniff", path);
        assert.equal(headers.get("cross-origin-resource-policy"), "same-origin", path);
        const policy = headers.get("content-security-policy")!;
        // Pages may stand in a frame of the same site, as behind a notebook's proxy; data in none.
        const isPage = ["/", "/graphql"].includes(path) &&
          headers.get("content-type")!.includes("html");
        const frames = isPage ? "'self'" : "'none'";
        assert(
          policy.startsWith(`default-src 'none'; frame-ancestors ${frames}`),
          `${path}: ${policy}`,
        );
        const script = policy.match(/script-src ([^;]*)/)?.[1] ?? "'none'";
        assert.match(script, /^('self'|'none'|'sha256-[^']+'( 'sha256-[^']+')*)$/, path);
      }
    }
  }));
