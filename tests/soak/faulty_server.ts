// A server whose worker has faults when it is asked for them; prints its port, ends as the real one does.
import { Drain } from "../../src/cli/drain.ts";
import { EngineWorker } from "../../src/server/queue/engine_worker.ts";
import { makeApp } from "../../src/server/http/app.ts";
import { makeLog } from "../../src/server/observe/log.ts";
import { BUNDLED } from "../support/fixtures.ts";

const engine = await EngineWorker.start({
  directories: [BUNDLED],
  cacheBytes: 4 * 2 ** 20,
  module: new URL("faulty_worker.ts", import.meta.url),
});
const drain = new Drain(makeLog("json", () => {}), () => engine);
const app = makeApp({
  models: () => [{ name: "bundled", engine }],
  log: (line) => console.error(line),
  isDraining: () => drain.isDraining,
});
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
drain.onSignals(server);
console.log(server.addr.port);
