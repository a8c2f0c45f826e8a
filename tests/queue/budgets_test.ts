import assert from "node:assert/strict";
import { ByteBudget } from "../../src/server/queue/byte_budget.ts";
import { BytesInFlight } from "../../src/server/queue/bytes_in_flight.ts";

Deno.test("an answer may have as many bytes as its limit, and not one more, however they are spread", async () => {
  const inFlight = new BytesInFlight(1000);
  const fine = new ByteBudget(100, inFlight);
  await Promise.all([fine.claim(60), fine.claim(40)]);
  assert.equal(inFlight.bytes, 100);
  fine.release();
  assert.equal(inFlight.bytes, 0);

  const tooMuch = new ByteBudget(100, inFlight);
  const outcomes = await Promise.allSettled([tooMuch.claim(60), tooMuch.claim(41)]);
  for (const outcome of outcomes) {
    assert(outcome.status === "rejected", "none of them is computed");
    assert.equal(outcome.reason.code, "MATRIX_TOO_LARGE");
    assert.deepEqual(outcome.reason.details, { bytes: 101, limit: 100 });
  }
  assert.equal(inFlight.bytes, 0);
});

Deno.test("answers in flight may have as many bytes as their limit, and not one more, until one is read", async () => {
  const inFlight = new BytesInFlight(100);
  const [first, second, third] = [1, 2, 3].map(() => new ByteBudget(80, inFlight));
  await first!.claim(60);
  await second!.claim(40);
  await assert.rejects(() => third!.claim(1), (error: Error & { code?: string }) => {
    assert.equal(error.code, "OVERLOADED");
    return true;
  });
  first!.release();
  await new ByteBudget(80, inFlight).claim(60);
  assert.equal(inFlight.bytes, 100);
  first!.release(); // once is enough
  assert.equal(inFlight.bytes, 100);
});

Deno.test("an answer takes no room of the limit once it is read", async () => {
  const inFlight = new BytesInFlight(100);
  const budget = new ByteBudget(80, inFlight);
  const claimed = budget.claim(10);
  budget.release();
  await claimed;
  assert.equal(inFlight.bytes, 0);
});
