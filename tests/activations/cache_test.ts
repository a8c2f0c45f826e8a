import assert from "node:assert/strict";
import { ActivationCache } from "../../src/engine/activations/cache.ts";

class Fake {
  isDestroyed = false;
  readonly variant = "";
  readonly model = "";
  constructor(public ids: number[], readonly bytes: number) {}
  destroy(): void {
    assert(!this.isDestroyed, "destroyed twice");
    this.isDestroyed = true;
  }
}

function add(cache: ActivationCache<Fake>, ids: number[], bytes: number): Fake {
  const entry = new Fake(ids, bytes);
  cache.makeRoom(bytes);
  cache.add(entry).release();
  return entry;
}

Deno.test("ActivationCache counts hits, misses, entries and bytes", () => {
  const cache = new ActivationCache<Fake>(100);
  assert.equal(cache.find([1, 2]), undefined);
  const entry = add(cache, [1, 2], 40);
  const { hold, shared } = cache.find([1, 2])!;
  assert.equal(hold.value, entry);
  assert.equal(shared, 2);
  hold.release();
  assert.deepEqual(cache.stats, {
    entries: 1,
    bytes: 40,
    budget: 100,
    hits: 1,
    misses: 1,
    evictions: 0,
  });
  cache.countHits(2);
  assert.equal(cache.stats.hits, 3);
});

Deno.test("ActivationCache finds the entry with the longest common beginning", () => {
  const cache = new ActivationCache<Fake>(100);
  const short = add(cache, [1, 2, 3], 10);
  const long = add(cache, [1, 2, 3, 4, 5], 10);
  add(cache, [9, 9], 10);
  const found = (ids: number[]): [Fake | undefined, number | undefined] => {
    const it = cache.find(ids);
    it?.hold.release();
    return [it?.hold.value, it?.shared];
  };
  assert.deepEqual(found([1, 2, 3, 4, 5, 6]), [long, 5], "goes on");
  assert.deepEqual(found([1, 2, 3, 4]), [long, 4], "a beginning");
  assert.deepEqual(found([1, 2, 3, 7, 8]), [long, 3], "of equals, the last used");
  assert.deepEqual(found([1, 7]), [long, 1]);
  assert.deepEqual(found([7]), [undefined, undefined]);
  assert.deepEqual([cache.stats.hits, cache.stats.misses], [1, 4]);
  assert.equal(short.isDestroyed, false);
});

Deno.test("ActivationCache evicts the least recently used, and destroys it", () => {
  const cache = new ActivationCache<Fake>(100);
  const a = add(cache, [1], 40);
  const b = add(cache, [2], 40);
  cache.find([1])!.hold.release();
  const c = add(cache, [3], 40);
  assert.deepEqual([a, b, c].map((entry) => entry.isDestroyed), [false, true, false]);
  assert.deepEqual([cache.stats.bytes, cache.stats.evictions], [80, 1]);
});

Deno.test("ActivationCache hands over an evicted entry whose memory fits", () => {
  const cache = new ActivationCache<Fake>(100);
  const a = add(cache, [1], 40);
  const b = add(cache, [2], 60);
  const taken = cache.makeRoom(60, (entry) => entry.bytes === 60);
  assert.equal(taken, b);
  assert.deepEqual([a.isDestroyed, b.isDestroyed], [true, false]);
  assert.deepEqual([cache.stats.entries, cache.stats.bytes, cache.stats.evictions], [0, 0, 2]);
});

Deno.test("ActivationCache never evicts what is leased, even beyond the budget", () => {
  const cache = new ActivationCache<Fake>(100);
  const a = add(cache, [1], 60);
  const first = cache.find([1])!.hold;
  const second = cache.find([1])!.hold;
  const b = new Fake([2], 60);
  cache.makeRoom(60);
  const leaseB = cache.add(b);
  assert.equal(a.isDestroyed, false);
  assert.equal(cache.stats.bytes, 120);
  first.release();
  first.release(); // twice is once
  assert.equal(a.isDestroyed, false, "the second hold holds it");
  second.release();
  assert.equal(a.isDestroyed, true, "over budget and free: given back at once");
  assert.equal(b.isDestroyed, false);
  leaseB.release();
});

Deno.test("ActivationCache keeps an entry larger than its budget for its hold only", () => {
  const cache = new ActivationCache<Fake>(10);
  const entry = new Fake([1], 50);
  const hold = cache.add(entry);
  assert.equal(entry.isDestroyed, false);
  hold.release();
  assert.equal(entry.isDestroyed, true);
  assert.equal(cache.stats.entries, 0);
});

Deno.test("discard() destroys an entry once nobody uses it, and is no eviction", () => {
  const cache = new ActivationCache<Fake>(100);
  const entry = add(cache, [1], 10);
  const reader = cache.find([1])!.hold;
  cache.find([1])!.hold.discard();
  assert.equal(entry.isDestroyed, false, "it is read");
  reader.discard();
  assert.equal(entry.isDestroyed, true);
  assert.deepEqual([cache.stats.entries, cache.stats.bytes, cache.stats.evictions], [0, 0, 0]);
});

Deno.test("ActivationCache.evict() says when there is nothing to evict", () => {
  const cache = new ActivationCache<Fake>(100);
  assert.equal(cache.evict(), false);
  add(cache, [1], 1);
  const { hold } = cache.find([1])!;
  assert.equal(cache.evict(), false);
  hold.release();
  assert.equal(cache.evict(), true);
});
