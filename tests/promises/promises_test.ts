// The promises of docs/reliability.md, each asked of the process that `deno task serve` starts, over real sockets: of the
// bundled model, and of one as slow as GPT-2. After each, with no client connected, nothing of it must be left.
import assert from "node:assert/strict";
import { AMOUNTS } from "./amounts.ts";
import { words } from "./client.ts";
import { FAULTS } from "./faults.ts";
import { LEAVING } from "./leaving.ts";
import { LONG, MODELS, withServed } from "./served.ts";
import { SLOW_CLIENTS } from "./slow_clients.ts";

const PROMISES = { ...LEAVING, ...AMOUNTS, ...SLOW_CLIENTS, ...FAULTS };

for (const [name, model] of Object.entries(MODELS)) {
  Deno.test(`the promises of docs/reliability.md hold for the process that serves: ${name}`, (test) =>
    withServed(model, async (served, stop) => {
      const { client, log } = served;
      for (const [promise, isKept] of Object.entries(PROMISES)) {
        await test.step(promise, async () => {
          await isKept(served);
          await client.assertQuiet();
        });
      }
      await test.step("nothing of it is a fault of the server's", () => {
        const faults = log().split("\n").filter((line) => /INTERNAL_SERVER|"error"/.test(line));
        assert.deepEqual(faults, []);
      });
      await test.step("SIGHUP drains: what is under way is answered, and idle connections keep nobody", async () => {
        const idle = await Promise.all(Array.from({ length: 20 }, () => client.connect()));
        const underWay = client.flow(words(LONG, 900));
        await new Promise((resolve) => setTimeout(resolve, 30));
        const began = performance.now();
        assert.equal(await stop("SIGHUP"), 0);
        assert(performance.now() - began < 10_000);
        assert.equal((await underWay).status, 200);
        for (const connection of idle) connection.close();
      });
    }));
}
