import assert from "node:assert/strict";
import { Guesses, MOST_GUESSES } from "../../src/server/http/guesses.ts";
import { withApp } from "../support/app.ts";

const TOKEN = "opensesame-opensesame";

Deno.test("wrong tokens are told one after another, however many come at once, and the right one waits for none", () =>
  withApp(async (app) => {
    const ask = async (token: string): Promise<[status: number, took: number]> => {
      const began = performance.now();
      const headers = { authorization: `Bearer ${token}` };
      const response = await app.fetch("/graphql?query={__typename}", { headers });
      await response.body?.cancel();
      return [response.status, performance.now() - began];
    };
    await ask(TOKEN);
    const guesses = Array.from({ length: 5 }, (_, n) => ask(`guess-${n}`));
    const [status, took] = await ask(TOKEN);
    assert.equal(status, 200);
    assert(took < 400, `the right one took ${took} ms`);
    for (const [n, guess] of guesses.entries()) {
      const [status, took] = await guess;
      assert.equal(status, 401);
      assert(took > 490 * (n + 1), `guess ${n} was told after ${took} ms`);
    }
  }, { policy: { token: TOKEN } }));

Deno.test(`${MOST_GUESSES} wrong tokens wait to be told, and one more is refused at once`, async () => {
  const guesses = new Guesses(20);
  const told: number[] = [];
  const waiting = Array.from(
    { length: MOST_GUESSES },
    (_, n) => guesses.turn().then(() => told.push(n)),
  );
  for (let more = 0; more < 1000; more++) {
    await assert.rejects(() => guesses.turn(), { code: "OVERLOADED" });
  }
  await Promise.all(waiting);
  assert.deepEqual(told, Array.from({ length: MOST_GUESSES }, (_, n) => n));
  await guesses.turn(); // there is room again
});
