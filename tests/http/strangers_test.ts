import assert from "node:assert/strict";
import { ORIGIN, type TestApp, withApp } from "../support/app.ts";

const ARROW = "/info-flow.arrow?prompt=a";
const QUERY = "/graphql?query={cache{misses}}";
const ELSEWHERE = "https://elsewhere.example";

type Headers = Record<string, string>;

/** What browsers send, by who makes them. Each is asked of a path that costs a pass and of GraphQL. */
const REFUSED: Record<string, Headers> = {
  "an image on another site": {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "no-cors",
    "sec-fetch-dest": "image",
  },
  "a link on another site": {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  },
  "a page on another port of this machine": { "sec-fetch-site": "same-site" },
  "a frame on another site": {
    "sec-fetch-site": "cross-site",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "iframe",
  },
  "a script elsewhere, in a browser without Sec-Fetch-Site": { origin: ELSEWHERE },
  "a page without an origin": { origin: "null" },
  "an image elsewhere, in such a browser": { referer: `${ELSEWHERE}/page` },
  "a site that has our name as its own beginning": { origin: `${ORIGIN}.elsewhere.example` },
};

const LET_IN: Record<string, Headers> = {
  "curl and notebooks": {},
  "our own page": { "sec-fetch-site": "same-origin", origin: ORIGIN },
  "who typed it": { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" },
  "our own page, in a browser without Sec-Fetch-Site": { origin: ORIGIN, referer: `${ORIGIN}/` },
};

Deno.test("a page elsewhere can't make the device work", () =>
  withApp(async (app) => {
    for (const [who, headers] of Object.entries(REFUSED)) {
      for (const path of [ARROW, QUERY]) {
        const response = await app.fetch(path, { headers });
        assert.equal(response.status, 403, `${who}: ${path}`);
        assert.equal(await codeOf(response), "FORBIDDEN");
      }
    }
    assert.equal(await misses(app), 0);
  }));

Deno.test("programs and our own pages are let in", () =>
  withApp(async (app) => {
    for (const [who, headers] of Object.entries(LET_IN)) {
      for (const path of [ARROW, QUERY]) {
        const response = await app.fetch(path, { headers });
        await response.body?.cancel();
        assert.equal(response.status, 200, `${who}: ${path}`);
      }
    }
  }));

Deno.test("forms and text/plain from elsewhere are refused, whatever they say they are", () =>
  withApp(async (app) => {
    const body = JSON.stringify({ query: '{ infoFlow(prompt: "a") { cacheHit } }' });
    for (
      const type of ["text/plain", "application/x-www-form-urlencoded", "application/json"]
    ) {
      for (
        const who of [{ "sec-fetch-site": "cross-site", origin: ELSEWHERE }, { origin: ELSEWHERE }]
      ) {
        const headers = { ...who, "content-type": type };
        const response = await app.fetch("/graphql", { method: "POST", headers, body });
        assert.equal(response.status, 403, type);
        await response.body?.cancel();
      }
    }
    assert.equal(await misses(app), 0);
  }));

Deno.test("a link to one of our pages may be followed, but not framed, nor used to post", () =>
  withApp(async (app) => {
    const visit = { ...REFUSED["a link on another site"]!, accept: "text/html" };
    const frame = { ...REFUSED["a frame on another site"]!, accept: "text/html" };
    for (const path of ["/", "/graphql"]) {
      const statusOf = async (init: RequestInit): Promise<number> => {
        const response = await app.fetch(path, init);
        await response.body?.cancel();
        return response.status;
      };
      assert.equal(await statusOf({ headers: visit }), 200, path);
      assert.equal(await statusOf({ headers: frame }), 403, path);
      assert.equal(await statusOf({ headers: visit, method: "POST", body: "{}" }), 403, path);
    }
  }));

Deno.test("a Host that is not ours is refused, in the header and in the request line", () =>
  withApp(async (app) => {
    const hosts = {
      "infoflow.test:1234": 200,
      "INFOFLOW.test.": 200,
      "localhost:9000": 200,
      "127.0.0.1": 200,
      "[::1]:8000": 200,
      "rebound.example": 403,
      "rebound.example:1234": 403,
      "infoflow.test.rebound.example": 403,
      "192.168.1.7:8000": 403,
      "localhost:80@rebound.example": 403,
      "": 403,
    };
    for (const [host, status] of Object.entries(hosts)) {
      const response = await app.fetch(QUERY, { headers: { host } });
      assert.equal(response.status, status, host);
      await response.body?.cancel();
    }
  }));

Deno.test("a server for all addresses answers to any address, and to names only if told", async () => {
  const statusOf = (host: string, names: string[]): Promise<number> => {
    let status = 0;
    return withApp(async (app) => {
      const response = await app.fetch("/healthz", { headers: { host } });
      status = response.status;
      await response.body?.cancel();
    }, { policy: { host: "0.0.0.0", names: ["infoflow.test", ...names] } }).then(() => status);
  };
  assert.equal(await statusOf("192.168.1.7:8000", []), 200);
  assert.equal(await statusOf("gpu.lab.example", []), 403);
  assert.equal(await statusOf("gpu.lab.example", ["gpu.lab.example"]), 200);
});

Deno.test("no answer may be read from another origin, and an allow-list opens that", () =>
  withApp(async (app) => {
    const notes = "https://notes.example";
    const allowed = { origin: notes, "sec-fetch-site": "cross-site" };
    for (const path of [ARROW, QUERY]) {
      const response = await app.fetch(path, { headers: allowed });
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("access-control-allow-origin"), notes);
      assert.equal(response.headers.get("access-control-allow-credentials"), null);
      assert.match(response.headers.get("vary") ?? "", /origin/i);
      await response.body?.cancel();
      const other = await app.fetch(path, { headers: { ...allowed, origin: ELSEWHERE } });
      assert.equal(other.status, 403);
      assert.equal(other.headers.get("access-control-allow-origin"), null);
      await other.body?.cancel();
    }
    const preflight = await app.fetch("/graphql", {
      method: "OPTIONS",
      headers: {
        ...allowed,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
      },
    });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get("access-control-allow-headers")!, /content-type/);
  }, { policy: { origins: ["https://notes.example"] } }));

async function codeOf(response: Response): Promise<unknown> {
  const body = await response.json();
  return body.code ?? body.errors[0].extensions.code;
}

async function misses(app: TestApp): Promise<number> {
  return (await app.query("{ cache { misses } }")).data.cache.misses;
}
