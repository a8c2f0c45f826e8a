// A server whose worker has faults when it is asked for them; prints its port, ends as the real one does.
import { Drain } from "../../src/cli/drain.ts";
import { listen } from "../../src/server/http/listen.ts";
import { InfoflowServer } from "../../src/server/serving/server.ts";

const server = new InfoflowServer({
  models: {
    asked: ["bundled"],
    cacheBytes: 4 * 2 ** 20,
    module: new URL("faulty_worker.ts", import.meta.url),
  },
  writeLine: (line) => console.error(line),
});
await server.load();
const listener = await listen(server, { host: "127.0.0.1", port: 0 });
new Drain(server, listener).onSignals();
console.log(listener.port);
