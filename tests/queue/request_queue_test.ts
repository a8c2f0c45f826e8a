import assert from "node:assert/strict";
import { CancelFlags } from "../../src/thread/cancel_flags.ts";
import type { Batch, BatchResult } from "../../src/thread/protocol.ts";
import type { FlowResult } from "../../src/requests/flow_options.ts";
import { idsOf, isQuestion } from "../../src/requests/engine_request.ts";
import type { Priority } from "../../src/server/queue/priority.ts";
import { RequestQueue } from "../../src/server/queue/request_queue.ts";
import { InfoflowError } from "../../src/errors.ts";
import type { FlowOptions } from "../../src/requests/flow_options.ts";

const OPTIONS: FlowOptions = { byLayer: true, aggregation: "MEAN", bos: "DROP" };

/** So that what a prompt costs is more than what it takes to ask for it. */
const MS_PER_TOKEN = 10;

/** A worker that answers when it is told to, with the prompt itself as its flow. */
class FakeWorker {
  readonly flags = new CancelFlags();
  readonly infos = [{ passTokens: 256 }];
  readonly batches: Batch[] = [];
  readonly #done: { resolve(result: BatchResult): void; reject(reason: unknown): void }[] = [];

  answer(batch: Batch): Promise<BatchResult> {
    this.batches.push(batch);
    const { promise, resolve, reject } = Promise.withResolvers<BatchResult>();
    this.#done.push({ resolve, reject });
    return promise;
  }

  /** Begins the oldest batch, and says which of its prompts are still wanted. */
  begin(): number[] {
    const { requests } = this.batches[this.batches.length - this.#done.length]!;
    return requests.filter(({ slot }) => this.flags.begin(slot)).map(({ work }) => idsOf(work)[0]!);
  }

  /** Answers the oldest batch. */
  async finish(): Promise<void> {
    const { requests } = this.batches[this.batches.length - this.#done.length]!;
    const outcomes = requests.map(({ work }) => ({
      value: { flow: Float32Array.from(idsOf(work)), dropped: new Float32Array(), cacheHit: false },
    }));
    // What a result has beside these is no matter here.
    const result = { outcomes, began: 0, ended: 1 } as unknown as BatchResult;
    this.#done.shift()!.resolve(result);
    await turn();
  }

  async finishAll(): Promise<void> {
    while (this.#done.length > 0) await this.finish();
  }

  async fail(): Promise<void> {
    this.#done.shift()!.reject(new InfoflowError("DEVICE_LOST", "gone"));
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function promptsOf({ requests }: Batch): number[] {
  return requests.map(({ work }) => idsOf(work)[0]!);
}

function make(limit = 64): { worker: FakeWorker; queue: RequestQueue; ask: Ask } {
  const worker = new FakeWorker();
  const queue = new RequestQueue(worker, {
    flags: worker.flags,
    limit,
    pace: {
      estimate: (work, isKnown) => isKnown ? 0 : MS_PER_TOKEN * idsOf(work).length,
      learn: () => {},
      learnAtLeast: () => {},
    },
  });
  const ask: Ask = async (n, { tokens = 60, signal, byLayer = true, priority } = {}) => {
    const ids = [n, ...new Array(tokens - 1).fill(0)];
    const { result } = await queue.submit({ ids, options: { ...OPTIONS, byLayer } }, {
      ...(signal && { signal }),
      ...(priority && { priority }),
    });
    return [(result as FlowResult).flow[0]!, result.cacheHit];
  };
  return { worker, queue, ask };
}
type Ask = (
  n: number,
  options?: { tokens?: number; signal?: AbortSignal; byLayer?: boolean; priority?: Priority },
) => Promise<[number, boolean]>;

Deno.test("a full queue takes the last request that has room and refuses the next, until there is room", async () => {
  const { worker, queue, ask } = make(3);
  const running = ask(0);
  worker.begin();
  const waiting = [ask(1), ask(2), ask(3)];
  assert.deepEqual(queue.stats, {
    waiting: 3,
    limit: 3,
    waitingOfJobs: 0,
    atWorker: 2,
  });
  await assert.rejects(() => ask(4), (error: InfoflowError) => {
    assert.equal(error.code, "OVERLOADED");
    assert.equal(error.details.waiting, 3);
    assert((error.details.retryAfter as number) >= 1);
    return true;
  });
  assert.throws(() => queue.admit(), { code: "OVERLOADED" });
  await worker.finish();
  worker.begin();
  queue.admit();
  const last = ask(4);
  await worker.finishAll();
  assert.deepEqual(
    await Promise.all([running, ...waiting, last]),
    [0, 1, 2, 3, 4].map((n) => [
      n,
      false,
    ]),
  );
  assert.equal(queue.stats.waiting, 0);
});

Deno.test("equal requests share one answer, and each takes a place in the queue", async () => {
  const { worker, queue, ask } = make(3);
  const asked = [ask(1), ask(1), ask(1)];
  assert.equal(queue.stats.waiting, 3);
  await assert.rejects(() => ask(1), { code: "OVERLOADED" });
  await worker.finish();
  assert.deepEqual(await Promise.all(asked), [[1, false], [1, true], [1, true]]);
  assert.deepEqual(worker.batches.map(promptsOf), [[1]]);
});

Deno.test("a client that goes away frees its place, and its work is not sent", async () => {
  const { worker, queue, ask } = make(3);
  const others = [ask(0), ask(1)]; // one at work, one at the worker
  worker.begin();
  const controller = new AbortController();
  const left = ask(2, { signal: controller.signal });
  const stays = ask(3);
  assert.equal(queue.stats.waiting, 3);
  controller.abort(new InfoflowError("CANCELLED", "gone"));
  await assert.rejects(left, { code: "CANCELLED" });
  assert.equal(queue.stats.waiting, 2);
  for (let batch = 0; batch < 3; batch++) await worker.finish();
  await Promise.all([...others, stays]);
  assert.deepEqual(worker.batches.map(promptsOf), [[0], [1], [3]]);
});

Deno.test("a cancelled request at the worker is not begun, or told to stop", async () => {
  const { worker, ask } = make();
  const controllers = [new AbortController(), new AbortController()];
  const left = controllers.map(({ signal }, n) => ask(n, { signal }));
  assert.deepEqual(worker.begin(), [0]);
  for (const controller of controllers) controller.abort(new Error("gone"));
  for (const one of left) await assert.rejects(one, { message: "gone" });
  const [running, waiting] = worker.batches.map(({ requests }) => requests[0]!.slot);
  assert.equal(worker.flags.isCancelled(running!), true);
  await worker.finish();
  assert.equal(worker.flags.begin(waiting!), false);
  // Asked again, it is computed again.
  const again = ask(1);
  await worker.finish();
  await worker.finish();
  assert.deepEqual(await again, [1, false]);
});

Deno.test("work goes on while one of its callers waits", async () => {
  const { worker, ask } = make();
  const controller = new AbortController();
  const left = ask(1, { signal: controller.signal });
  const stays = ask(1);
  worker.begin();
  controller.abort(new Error("gone"));
  await assert.rejects(left, { message: "gone" });
  assert.equal(worker.flags.isCancelled(worker.batches[0]!.requests[0]!.slot), false);
  await worker.finish();
  assert.equal((await stays)[0], 1);
});

Deno.test("a request whose client has left already is not sent", async () => {
  const { worker, ask } = make();
  await assert.rejects(ask(1, { signal: AbortSignal.abort(new Error("gone")) }), {
    message: "gone",
  });
  assert.equal(worker.batches.length, 0);
});

Deno.test("short prompts, and all that is asked of one prompt, go together; what is known goes first", async () => {
  const { worker, ask } = make();
  const known = ask(9);
  await worker.finish();
  const asked = [known, ask(1), ask(2), ask(3), ask(4, { tokens: 10 }), ask(5, { tokens: 10 })];
  asked.push(ask(3, { byLayer: false }), ask(9, { byLayer: false }));
  await worker.finishAll();
  await Promise.all(asked);
  assert.deepEqual(worker.batches.map(promptsOf), [[9], [1], [2], [9, 4, 5], [3, 3]]);
});

Deno.test("requests that a worker had begun fail when it goes away; the next worker gets the others", async () => {
  const { worker, ask } = make();
  const begun = ask(0);
  const waits = ask(1);
  worker.begin();
  const failed = assert.rejects(begun, { code: "DEVICE_LOST" });
  await worker.fail();
  await failed;
  await worker.fail();
  await turn();
  assert.deepEqual(worker.batches.map(promptsOf), [[0], [1], [1]]);
  await worker.finish();
  assert.deepEqual(await waits, [1, false]);
});

Deno.test("a request that was lost with three workers fails with DEVICE_LOST", async () => {
  const { worker, ask } = make();
  const failed = assert.rejects(ask(1), { code: "DEVICE_LOST" });
  for (let tries = 0; tries < 3; tries++) await worker.fail();
  await failed;
  assert.equal(worker.batches.length, 3);
});

const JOB = { priority: "batch" } as const;

Deno.test("prompts of jobs are many in a pass, in their order, and leave nothing in the cache", async () => {
  const { worker, queue, ask } = make(2);
  const answers = Array.from({ length: 10 }, (_, n) => ask(n, JOB));
  await turn();
  // Of 60 tokens each, within 256.
  assert.deepEqual(worker.batches.map(promptsOf), [[0, 1, 2, 3], [4, 5, 6, 7]]);
  assert.deepEqual(worker.batches.map(({ cache }) => cache), ["look", "look"]);
  assert.deepEqual(queue.stats.waiting, 0);
  queue.admit(); // jobs don't fill the queue of others
  await worker.finishAll();
  assert.deepEqual((await Promise.all(answers)).map(([n]) => n), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

Deno.test("jobs wait for people, but not for ever, and beside them take short turns one at a time", async () => {
  const { worker, ask } = make();
  const order = (): string[] =>
    worker.batches.map((batch) =>
      `${batch.cache === "look" ? "job" : "people"} ${promptsOf(batch)}`
    );
  const answers = [ask(100, JOB), ask(101, JOB), ...[1, 2, 3, 4, 5, 6].map((n) => ask(n))];
  answers.push(ask(102, JOB), ask(103, JOB));
  while (worker.batches.length < 10) await worker.finish();
  await worker.finishAll();
  assert.deepEqual(order(), [
    "people 1",
    "job 100", // nobody else was there yet
    "people 2",
    "people 3",
    "people 4",
    "job 101",
    "people 5",
    "people 6",
    "job 102",
    "job 103",
  ]);
  await Promise.all(answers);
});

Deno.test("a prompt of a job that a person asks for too is theirs", async () => {
  const { worker, ask } = make();
  const jobs = [ask(0, JOB), ask(1, JOB), ask(2, JOB), ask(3, JOB)];
  const person = ask(3);
  assert.deepEqual(worker.batches.map(promptsOf), [[3], [0]]);
  assert.equal(worker.batches[0]!.cache, "keep");
  await worker.finishAll();
  assert.deepEqual((await Promise.all([...jobs, person])).map(([n]) => n), [0, 1, 2, 3, 3]);
});

Deno.test("cheap requests overtake a dear one, but not those that are asked later than it costs", async () => {
  const worker = new FakeWorker();
  const cost = 300;
  const queue = new RequestQueue(worker, {
    flags: worker.flags,
    limit: 64,
    pace: {
      estimate: (work) => isQuestion(work) ? cost : 0,
      learn: () => {},
      learnAtLeast: () => {},
    },
  });
  const submit = (n: number): Promise<unknown> =>
    queue.submit({ ids: [n, ...new Array(63).fill(0)], options: OPTIONS });
  const asked = [submit(0), submit(1)]; // both are at the worker
  const argument = { ids: [50], k: 1 };
  const dear = queue.submit({ name: "nextTokens", argument });
  asked.push(submit(2));
  await new Promise((resolve) => setTimeout(resolve, cost + 50));
  asked.push(submit(3));
  await worker.finishAll();
  await Promise.all([...asked, dear]);
  assert.deepEqual(worker.batches.map(promptsOf), [[0], [1], [2], [50], [3]]);
});

Deno.test("what would end a moment after the caller's time is refused with the estimate; what ends in it is taken", async () => {
  const worker = new FakeWorker();
  const pace = { estimate: () => 5000, learn: () => {}, learnAtLeast: () => {} };
  const queue = new RequestQueue(worker, { flags: worker.flags, limit: 64, pace });
  const now = performance.timeOrigin + performance.now();
  const work = { ids: [1], options: OPTIONS };
  await assert.rejects(() => queue.submit(work, { endsAt: now + 4900 }), (error: InfoflowError) => {
    assert.equal(error.code, "MATRIX_TOO_LARGE");
    assert.equal(error.details.estimate, 5000);
    return true;
  });
  const taken = queue.submit(work, { endsAt: now + 60_000 });
  await worker.finishAll();
  await taken;
});

Deno.test("what waits in front counts too, and is told as OVERLOADED", async () => {
  const worker = new FakeWorker();
  const pace = { estimate: () => 5000, learn: () => {}, learnAtLeast: () => {} };
  const queue = new RequestQueue(worker, { flags: worker.flags, limit: 64, pace });
  const endsAt = performance.timeOrigin + performance.now() + 60_000;
  const submit = (n: number): Promise<unknown> =>
    queue.submit({ ids: [n, ...new Array(63).fill(0)], options: OPTIONS }, { endsAt });
  // Two are at the worker; eleven that wait take 55 seconds; the next would end after 60.
  const taken = Array.from({ length: 13 }, (_, n) => submit(n));
  await assert.rejects(() => submit(13), { code: "OVERLOADED" });
  await worker.finishAll();
  await Promise.all(taken);
});

Deno.test("cacheHit is false for a caller that joined a request if the first caller left and the pass was run", async () => {
  const { worker, ask } = make();
  const controller = new AbortController();
  const left = ask(1, { signal: controller.signal });
  const [second, third] = [ask(1), ask(1)];
  controller.abort(new Error("gone"));
  await assert.rejects(left, { message: "gone" });
  await worker.finishAll();
  assert.deepEqual([await second, await third], [[1, false], [1, true]]);
});

Deno.test("a VALUE_ZEROING doesn't hold up cached answers, whether it came before them or with them", async () => {
  const { worker, queue, ask } = make();
  const cached = Array.from({ length: 15 }, (_, n) => n + 1);
  const known = Promise.all(cached.map((n) => ask(n, { tokens: 4 })));
  while (worker.batches.flatMap(promptsOf).length < 15) await worker.finish();
  await worker.finishAll();
  await known;
  const zero = (n: number): Promise<unknown> => {
    const options: FlowOptions = { ...OPTIONS, method: "VALUE_ZEROING" };
    return queue.submit({ ids: [n, ...new Array(200).fill(0)], options });
  };
  worker.batches.length = 0;
  const zeroed = [zero(100), zero(101)];
  worker.begin();
  // One is at work. The other waits here, not at the worker, and what is cached goes first, all of it at once.
  assert.deepEqual(worker.batches.map(promptsOf), [[100]]);
  const answers = Promise.all(cached.map((n) => ask(n, { tokens: 4, byLayer: false })));
  assert.deepEqual(worker.batches.map(promptsOf).flat(), [100, 1]);
  await worker.finish();
  assert.deepEqual(worker.batches.map(promptsOf).slice(1), [[1], cached.slice(1)]);
  await worker.finishAll();
  await Promise.all([...zeroed, answers]);
  assert.deepEqual(worker.batches.map(promptsOf).at(-1), [101]);
});
