// Whoever asks: until when, and what becomes of the work when nobody waits any more.
import assert from "node:assert/strict";
import { makeApp } from "../../src/http/app.ts";
import { type TestApp, withApp } from "../support/app.ts";
import { blockedEngine } from "../support/blocked_engine.ts";
import { withModel } from "../support/model.ts";

const ARROW = "/info-flow.arrow?prompt=a";
const FLOW = "query ($p: String!) { infoFlow(prompt: $p) { matrix { values } } }";

function post(query: string, p: string): RequestInit {
  const body = JSON.stringify({ query, variables: { p } });
  return { method: "POST", headers: { "content-type": "application/json" }, body };
}

async function codeOf(response: Response): Promise<unknown> {
  const body = await response.json();
  return body.code ?? body.errors[0].extensions.code;
}

/** An app whose engine answers nothing. */
async function withBlocked(
  use: (app: TestApp, waiting: () => number) => Promise<void>,
  { deadline = 30_000, mostWaiting = 2 } = {},
): Promise<void> {
  await withModel(async ({ name, engine }) => {
    const blocked = blockedEngine(engine, mostWaiting);
    const app = makeApp({
      model: () => ({ name, engine: blocked.engine }),
      log: () => {},
      policy: { deadline },
    });
    const fetch: TestApp["fetch"] = async (path, init) =>
      await app.fetch(new Request(`http://localhost${path}`, init));
    await use(
      { log: [], fetch, query: () => Promise.reject(new Error("unused")) },
      () => blocked.stats().waiting,
    );
  });
}

for (
  const [what, path, init] of [
    ["GraphQL", "/graphql", post(FLOW, "a")],
    ["GET", ARROW, {}],
  ] as const
) {
  Deno.test(`${what} gets DEADLINE_EXCEEDED in time, and its work is given up`, () =>
    withBlocked(async (app, waiting) => {
      const response = await app.fetch(path, init);
      assert.equal(response.status, 504);
      assert.equal(await codeOf(response), "DEADLINE_EXCEEDED");
      assert.equal(waiting(), 0);
    }, { deadline: 50 }));

  Deno.test(`${what} to a full queue gets 503, Retry-After and OVERLOADED, untokenised`, () =>
    withBlocked(async (app, waiting) => {
      const controller = new AbortController();
      const { signal } = controller;
      const others = ["b", "c", "d"].map((prompt) =>
        app.fetch(`/info-flow.arrow?prompt=${prompt}`, { signal })
      );
      while (waiting() < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      // Prompts that nobody may look at: one that is none, one that is too long.
      for (const prompt of ["", " word".repeat(1000)]) {
        const response = await app.fetch(
          path === ARROW ? `/info-flow.arrow?prompt=${encodeURIComponent(prompt)}` : path,
          path === ARROW ? init : post(FLOW, prompt),
        );
        assert.equal(response.status, 503);
        assert.match(response.headers.get("retry-after")!, /^\d+$/);
        assert.equal(await codeOf(response), "OVERLOADED");
      }
      assert.equal((await app.fetch("/healthz")).status, 200);
      controller.abort();
      await Promise.allSettled(others);
      assert.equal(waiting(), 0, "who went away freed its place");
    }));
}

Deno.test("a body that never ends meets the deadline too", () =>
  withBlocked(async (app) => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode("{")),
    });
    const headers = { "content-type": "application/json" };
    const response = await app.fetch("/graphql", { method: "POST", headers, body });
    assert.equal(response.status, 504);
    assert.equal(await codeOf(response), "DEADLINE_EXCEEDED");
  }, { deadline: 50 }));

Deno.test("an app with a model answers after all that", () =>
  withApp(async (app) => {
    const controller = new AbortController();
    const left = app.fetch(ARROW, { signal: controller.signal });
    controller.abort();
    await left.catch(() => {});
    const response = await app.fetch(ARROW);
    assert.equal(response.status, 200);
    await response.body?.cancel();
  }));
