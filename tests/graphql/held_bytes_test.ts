import assert from "node:assert/strict";
import { HeldBytes } from "../../src/server/graphql/held_bytes.ts";

Deno.test("a small answer with Arrow is made at once, a larger one turn by turn", async () => {
  for (const [length, mostTurns] of [[1, 0], [3000, 0], [600_001, 8]] as const) {
    const held = new HeldBytes();
    const bytes = Uint8Array.from({ length }, (_, at) => at * 7);
    const json = JSON.stringify({ data: { a: held.hold(bytes), b: "1.2.", c: held.hold(bytes) } });
    const headers = { "content-type": "application/json" };
    let turns = 0;
    const { setTimeout } = globalThis;
    globalThis.setTimeout = ((run: () => void, ms: number) => {
      turns++;
      return setTimeout(run, ms);
    }) as typeof setTimeout;
    try {
      const response = await held.fill(new Response(json, { headers }));
      assert.equal(response.headers.get("content-type"), "application/json");
      const body = await response.bytes();
      assert.equal(Number(response.headers.get("content-length")), body.length);
      assert.deepEqual(JSON.parse(new TextDecoder().decode(body)), {
        data: { a: bytes.toBase64(), b: "1.2.", c: bytes.toBase64() },
      });
    } finally {
      globalThis.setTimeout = setTimeout;
    }
    assert(turns <= mostTurns, `${turns} turns of the event loop for ${length} bytes`);
    if (mostTurns > 0) assert(turns > 0, "other requests are answered meanwhile");
  }
});
