// Whoever asks: until when, and what becomes of the work when nobody waits any more.
import assert from "node:assert/strict";
import { listen } from "../../src/server/http/listen.ts";
import { BLOCKED_WORKER, type TestApp, withApp } from "../support/app.ts";

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

async function until(isSo: () => boolean): Promise<void> {
  for (let looks = 0; !isSo(); looks++) {
    assert(looks < 2000, `not after ${looks} looks: ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A server whose worker answers nothing. */
async function withBlocked(
  use: (app: TestApp, waiting: () => number) => Promise<void>,
  { deadline = 30_000, mostWaiting = 2 } = {},
): Promise<void> {
  await withApp((app) => use(app, () => app.server.worker!.stats.queue.waiting), {
    models: { mostWaiting, module: BLOCKED_WORKER },
    policy: { deadline },
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
      const ask = (prompt: string): Promise<Response> =>
        app.fetch(`/info-flow.arrow?prompt=${prompt}`, { signal });
      const others = [ask("b")];
      await until(() => app.server.worker!.stats.queue.atWorker === 1 && waiting() === 0);
      others.push(ask("c"), ask("d"));
      await until(() => waiting() === 2);
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

Deno.test("over a socket, a client that goes away frees its place, and is no error", () =>
  withBlocked(async ({ server, log }, waiting) => {
    const listener = await listen(server, { host: "127.0.0.1", port: 0 });
    const origin = `http://127.0.0.1:${listener.port}`;
    const waitingIs = async (count: number): Promise<void> => {
      const { length } = log;
      const began = performance.now();
      while (waiting() !== count) {
        assert(performance.now() - began < 20_000, `${waiting()} wait, not ${count}`);
        await new Promise((go) => setTimeout(go, 5));
      }
      assert.equal(log.length, length, log.join("\n"));
    };
    const controllers = Array.from({ length: 4 }, () => new AbortController());
    const asked = controllers.map(({ signal }, n) => {
      const isLink = n % 2 === 0;
      return fetch(`${origin}${isLink ? `/info-flow.arrow?prompt=${n}` : "/graphql"}`, {
        ...(isLink ? {} : post(FLOW, String(n))),
        signal,
      }).then(() => "answered", () => "gone");
    });
    await waitingIs(3); // one is at work
    controllers[1]!.abort();
    controllers[2]!.abort();
    await waitingIs(asked.length - 3);
    for (const controller of controllers) controller.abort();
    assert.deepEqual(new Set(await Promise.all(asked)), new Set(["gone"]));
    await listener.shutdown();
  }, { mostWaiting: 8 }));

Deno.test("a signal that fires after the answer, as Deno's does without no-legacy-abort, changes nothing", () =>
  withApp(
    async (app) => {
      const controllers = [new AbortController(), new AbortController()];
      const [first, second] = controllers.map(({ signal }) => app.fetch(ARROW, { signal }));
      const bytes = await (await first!).bytes();
      controllers[0]!.abort();
      assert.deepEqual(await (await second!).bytes(), bytes);
      controllers[1]!.abort();
      const third = new AbortController();
      const again = await app.fetch("/graphql", { ...post(FLOW, "a"), signal: third.signal });
      third.abort();
      assert.equal((await again.json()).errors, undefined);
      assert.deepEqual(app.log.filter((line) => line.includes(" error ")), []);
      const [, , code] = app.log.map((line) => line.match(/code=(\w+)/)![1]);
      assert.equal(code, "OK");
    },
    { lines: { requests: true } },
  ));
