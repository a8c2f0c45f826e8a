import { createHash } from "node:crypto";
import { type EngineRequest, promptKey } from "../../requests/engine_request.ts";
import type { TimedResult } from "./timed_result.ts";
import type { Caller } from "./caller.ts";
import type { Priority } from "./priority.ts";

/** A caller that waits for an answer. */
interface Waiter {
  readonly endsAt: number;
  readonly priority: Priority;
  /** Whether the pass counts as this caller's. */
  readonly isFirst: boolean;
  resolve(answer: TimedResult): void;
  reject(reason: unknown): void;
}

/** A pending request and all callers that wait for it. */
export class PendingRequest {
  readonly work: EngineRequest;
  readonly key: string;
  /** The key that it shares with requests about the same prompt. */
  readonly promptKey: string;
  /** When the first of them asked, in ms since 1970. */
  readonly since: number;
  /** How long it will take, in ms, as far as is known. */
  readonly cost: number;
  /** Its slot among the cancel flags, once it is on its way to the worker. */
  slot: number | undefined;
  /** How often it was sent to a worker that was lost before it began. */
  tries = 0;
  readonly #waiters = new Set<Waiter>();
  #interactive = 0;
  readonly #onEmpty: (pending: PendingRequest) => void;

  /** @param onEmpty Called when the last caller has left. */
  constructor(
    { work, key, cost }: {
      readonly work: EngineRequest;
      readonly key: string;
      readonly cost: number;
    },
    onEmpty: (pending: PendingRequest) => void,
  ) {
    this.work = work;
    this.key = key;
    this.cost = cost;
    // A digest: what is remembered of it must not grow with the prompt.
    this.promptKey = createHash("sha256").update(promptKey(work)).digest("base64");
    this.since = performance.timeOrigin + performance.now();
    this.#onEmpty = onEmpty;
  }

  /** How many wait for the answer. */
  get callers(): number {
    return this.#waiters.size;
  }

  /** The priority of its most urgent caller. */
  get priority(): Priority {
    return this.#interactive > 0 ? "interactive" : "batch";
  }

  /** Until when a caller waits, in ms since 1970. */
  get endsAt(): number {
    let last = -Infinity;
    for (const { endsAt } of this.#waiters) last = Math.max(last, endsAt);
    return last;
  }

  /**
   * Waits for the answer.
   *
   * @throws What the caller's signal was aborted with, as soon as it is.
   */
  join({ signal, endsAt = Infinity, priority = "interactive" }: Caller): Promise<TimedResult> {
    const { promise, resolve, reject } = Promise.withResolvers<TimedResult>();
    const isFirst = this.#waiters.size === 0;
    const waiter: Waiter = { endsAt, priority, isFirst, resolve, reject };
    this.#waiters.add(waiter);
    if (priority === "interactive") this.#interactive++;
    if (!signal) return promise;
    const leave = (): void => {
      reject(signal.reason);
      if (this.#waiters.delete(waiter) && priority === "interactive") this.#interactive--;
      if (this.#waiters.size === 0) this.#onEmpty(this);
    };
    signal.addEventListener("abort", leave, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", leave));
  }

  /** Answers all callers. A pass that was run counts for one of them: the others joined it. */
  resolve(answer: TimedResult): void {
    const first = this.#waiters.values().find(({ isFirst }) => isFirst) ??
      this.#waiters.values().next().value;
    for (const waiter of this.#waiters) {
      waiter.resolve(
        waiter === first ? answer : { ...answer, result: { ...answer.result, cacheHit: true } },
      );
    }
    this.#waiters.clear();
  }

  /** Fails all callers. */
  fail(reason: unknown): void {
    for (const { reject } of this.#waiters) reject(reason);
    this.#waiters.clear();
  }
}
