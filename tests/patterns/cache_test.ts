import assert from "node:assert/strict";
import { PatternCache } from "../../src/patterns/cache.ts";

class Fake {
  isDestroyed = false;
  constructor(readonly bytes: number) {}
  destroy(): void {
    assert(!this.isDestroyed, "destroyed twice");
    this.isDestroyed = true;
  }
}

function add(cache: PatternCache<Fake>, key: string, bytes: number): Fake {
  const entry = new Fake(bytes);
  cache.makeRoom(bytes);
  cache.add(key, entry).release();
  return entry;
}

Deno.test("PatternCache counts hits, misses, entries and bytes", () => {
  const cache = new PatternCache<Fake>(100);
  assert.equal(cache.lease("a"), undefined);
  const a = add(cache, "a", 40);
  const lease = cache.lease("a")!;
  assert.equal(lease.value, a);
  lease.release();
  assert.deepEqual(cache.stats, {
    entries: 1,
    bytes: 40,
    budget: 100,
    hits: 1,
    misses: 1,
    evictions: 0,
  });
});

Deno.test("PatternCache evicts the least recently used, and destroys it", () => {
  const cache = new PatternCache<Fake>(100);
  const a = add(cache, "a", 40);
  const b = add(cache, "b", 40);
  cache.lease("a")!.release();
  const c = add(cache, "c", 40);
  assert.deepEqual([a, b, c].map((entry) => entry.isDestroyed), [false, true, false]);
  assert.deepEqual([cache.stats.bytes, cache.stats.evictions], [80, 1]);
});

Deno.test("PatternCache never evicts what is leased, even beyond the budget", () => {
  const cache = new PatternCache<Fake>(100);
  const a = add(cache, "a", 60);
  const first = cache.lease("a")!;
  const second = cache.lease("a")!;
  const b = new Fake(60);
  cache.makeRoom(60);
  const leaseB = cache.add("b", b);
  assert.equal(a.isDestroyed, false);
  assert.equal(cache.stats.bytes, 120);
  first.release();
  first.release(); // twice is once
  assert.equal(a.isDestroyed, false, "the second lease holds it");
  second.release();
  assert.equal(a.isDestroyed, true, "over budget and free: given back at once");
  assert.equal(b.isDestroyed, false);
  leaseB.release();
});

Deno.test("PatternCache keeps an entry larger than its budget for its lease only", () => {
  const cache = new PatternCache<Fake>(10);
  const entry = new Fake(50);
  const lease = cache.add("a", entry);
  assert.equal(entry.isDestroyed, false);
  lease.release();
  assert.equal(entry.isDestroyed, true);
  assert.equal(cache.stats.entries, 0);
});

Deno.test("PatternCache.evict() says when there is nothing to evict", () => {
  const cache = new PatternCache<Fake>(100);
  assert.equal(cache.evict(), false);
  add(cache, "a", 1);
  const lease = cache.lease("a")!;
  assert.equal(cache.evict(), false);
  lease.release();
  assert.equal(cache.evict(), true);
});

Deno.test("PatternCache.add() refuses a key that is taken", () => {
  const cache = new PatternCache<Fake>(100);
  add(cache, "a", 1);
  assert.throws(() => cache.add("a", new Fake(1)), {
    name: "TypeError",
    message: "Cannot add a to the cache as it is there",
  });
});
