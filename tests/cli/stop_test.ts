import assert from "node:assert/strict";
import { withServer } from "../support/serve.ts";

/** A prompt as long as the model takes, by its number. */
function longPrompt(n: number): string {
  return encodeURIComponent(`${n}${" word".repeat(250)}`);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`at ${signal}, what is under way is finished, what is new refused, and the process ends in ten seconds`, () =>
    withServer(async ({ origin, log, stop }) => {
      const asked = Array.from(
        { length: 12 },
        (_, n) => fetch(`${origin}/info-flow.arrow?prompt=${longPrompt(n)}`),
      );
      // The first answer is there, and others are under way.
      await asked[0];
      const begin = performance.now();
      const ended = stop(signal);
      while (!log().includes("stopping at")) await new Promise((resolve) => setTimeout(resolve, 5));
      const late = await fetch(`${origin}/info-flow.arrow?prompt=late`).then(
        async (response) => (await response.json()).code,
        () => "refused",
      );
      assert(["refused", "OVERLOADED"].includes(late), late);
      for (const answer of asked) {
        const response = await answer;
        assert.equal(response.status, 200);
        assert((await response.bytes()).length > 1000);
      }
      assert.equal(await ended, 0);
      assert(performance.now() - begin < 10_000);
      assert.match(log(), /"news":"stopped","isFinished":true,"isGivenBack":true/);
    }));
}

Deno.test("with --stop-with-stdin, the end of standard input ends the process", () =>
  withServer(async ({ origin, log, endInput }) => {
    assert.equal(await (await fetch(`${origin}/healthz`)).text(), "ok\n");
    assert.equal(await endInput(), 0);
    assert.match(log(), /stopping at the end of standard input/);
  }, { args: ["--stop-with-stdin"] }));
