import assert from "node:assert/strict";
import { makeApp } from "../../src/server/http/app.ts";
import { EngineWorker } from "../../src/server/queue/engine_worker.ts";
import { BUNDLED } from "../support/fixtures.ts";
import { withModel } from "../support/model.ts";

const FAULTY = new URL("../queue/faulty_worker.ts", import.meta.url);
const OPTIONS = { byLayer: true, aggregation: "MEAN", bos: "DROP" } as const;

Deno.test("/readyz is true after a pass over one token, which leaves nothing behind", () =>
  withModel(async (model) => {
    const app = makeApp({ models: () => [model], log: () => {} });
    const response = await app.request("/readyz");
    assert.deepEqual([response.status, await response.text()], [200, "ready\n"]);
    const { misses, entries, bytes } = await model.engine.cacheStats();
    assert.deepEqual({ misses, entries, bytes }, { misses: 0, entries: 0, bytes: 0 });
    const { deviceBytes } = model.engine.stats;
    assert(deviceBytes > 1e6, "counted with the weights");
  }));

Deno.test("/readyz is false while the server stops, and new requests are refused; /healthz says that it lives", () =>
  withModel(async (model) => {
    let isDraining = false;
    const app = makeApp({ models: () => [model], log: () => {}, isDraining: () => isDraining });
    const status = async (path: string): Promise<number> => (await app.request(path)).status;
    assert.equal(await status("/readyz"), 200);
    isDraining = true;
    assert.equal(await status("/readyz"), 503);
    assert.equal(await status("/healthz"), 200);
    const response = await app.request("/info-flow.arrow?prompt=a");
    assert.equal(response.status, 503);
    assert.match(response.headers.get("retry-after")!, /^\d+$/);
    assert.equal((await response.json()).code, "OVERLOADED");
  }));

Deno.test("/readyz is false after a loss, and true again when another worker has taken over", async () => {
  const engine = await EngineWorker.start({
    directories: [BUNDLED],
    cacheBytes: 2 ** 20,
    module: new URL("?lost", FAULTY),
  });
  try {
    const app = makeApp({ models: () => [{ name: "bundled", engine }], log: () => {} });
    const ready = async (): Promise<string> => (await (await app.request("/readyz")).text()).trim();
    assert.equal(await ready(), "ready");
    await assert.rejects(() => engine.flow([5, 6, 7], OPTIONS), { code: "DEVICE_LOST" });
    assert.equal(await ready(), "loading");
    await engine.flow([5, 6, 7, 8], OPTIONS); // waits for the next worker
    assert.equal(await ready(), "ready");
    assert.equal(engine.stats.restarts, 1);
  } finally {
    await engine.close();
  }
});
