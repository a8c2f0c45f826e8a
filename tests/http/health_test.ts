import assert from "node:assert/strict";
import { type TestApp, withApp } from "../support/app.ts";

const OPTIONS = { byLayer: true, aggregation: "MEAN", bos: "DROP" } as const;

async function ready(app: TestApp): Promise<string> {
  return (await (await app.fetch("/readyz")).text()).trim();
}

Deno.test("/readyz is true after a pass over one token, which leaves nothing behind", () =>
  withApp(async (app) => {
    const response = await app.fetch("/readyz");
    assert.deepEqual([response.status, await response.text()], [200, "ready\n"]);
    const { engine } = app.server.models[0]!;
    const { misses, entries, bytes } = await engine.cacheStats();
    assert.deepEqual({ misses, entries, bytes }, { misses: 0, entries: 0, bytes: 0 });
    const { deviceBytes } = engine.stats;
    assert(deviceBytes > 1e6, "counted with the weights");
  }));

Deno.test("/readyz is false while the server stops, and new requests are refused; /healthz says that it lives", () =>
  withApp(async (app) => {
    const status = async (path: string): Promise<number> => (await app.fetch(path)).status;
    assert.equal(await status("/readyz"), 200);
    app.server.drain();
    assert.equal(await status("/readyz"), 503);
    assert.equal(await status("/healthz"), 200);
    const response = await app.fetch("/info-flow.arrow?prompt=a");
    assert.equal(response.status, 503);
    assert.match(response.headers.get("retry-after")!, /^\d+$/);
    assert.equal((await response.json()).code, "OVERLOADED");
  }));

Deno.test("/readyz is false after a loss, and true again when another worker has taken over", () =>
  withApp(async (app) => {
    const { engine } = app.server.models[0]!;
    assert.equal(await ready(app), "ready");
    await assert.rejects(() => engine.flow([5, 6, 7], OPTIONS), { code: "DEVICE_LOST" });
    assert.equal(await ready(app), "loading");
    await engine.flow([5, 6, 7, 8], OPTIONS); // waits for the next worker
    assert.equal(await ready(app), "ready");
    assert.equal(engine.stats.restarts, 1);
  }, { models: { module: new URL("../queue/faulty_worker.ts?lost", import.meta.url) } }));
