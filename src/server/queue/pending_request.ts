import type { Priority } from "./priority.ts";
import { promptKey, type Work, type WorkResult } from "../../requests/engine_request.ts";

/** An answer, and what it cost. */
export interface Answer {
  readonly result: WorkResult;
  /** How long it waited for the engine, in ms. */
  readonly waited: number;
  /** How long the engine worked on it and on what it answered together with it, in ms. */
  readonly worked: number;
  /** When it was asked for and when the engine turned to it, in ms since 1970. */
  readonly since: number;
  readonly began: number;
  /** When what it takes was last submitted to the device, and when the result was read back. */
  readonly submitted: number;
  readonly read: number;
}

/** Somebody who waits for an answer. */
interface Caller {
  resolve(answer: Answer): void;
  reject(reason: unknown): void;
}

/** A request on its way, with all who asked for the same. */
export class PendingRequest {
  readonly work: Work;
  readonly key: string;
  /** What it shares with requests of the same prompt. */
  readonly promptKey: string;
  /** When the first of them asked, in ms since 1970. */
  readonly since: number;
  /** Its slot among the cancel flags, once it is on its way to the worker. */
  slot: number | undefined;
  /** The class of the most urgent of its callers. */
  priority: Priority = "batch";
  readonly #callers = new Set<Caller>();
  readonly #onEmpty: (pending: PendingRequest) => void;

  /** @param onEmpty Told when the last who waited went away. */
  constructor(work: Work, key: string, onEmpty: (pending: PendingRequest) => void) {
    this.work = work;
    this.key = key;
    this.promptKey = promptKey(work);
    this.since = performance.timeOrigin + performance.now();
    this.#onEmpty = onEmpty;
  }

  /** How many wait for the answer. */
  get callers(): number {
    return this.#callers.size;
  }

  /**
   * Waits for the answer, too.
   *
   * @throws What `signal` was aborted with, as soon as it is.
   */
  join(signal: AbortSignal | undefined, priority: Priority): Promise<Answer> {
    if (priority === "interactive") this.priority = priority;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const isFirst = this.#callers.size === 0;
    const caller: Caller = {
      // Who joined cost no pass.
      resolve: (answer) =>
        resolve(isFirst ? answer : { ...answer, result: { ...answer.result, cacheHit: true } }),
      reject,
    };
    this.#callers.add(caller);
    if (!signal) return promise;
    const leave = (): void => {
      reject(signal.reason);
      this.#callers.delete(caller);
      if (this.#callers.size === 0) this.#onEmpty(this);
    };
    signal.addEventListener("abort", leave, { once: true });
    return promise.finally(() => signal.removeEventListener("abort", leave));
  }

  /** Gives everybody the answer. */
  land(answer: Answer): void {
    for (const { resolve } of this.#callers) resolve(answer);
    this.#callers.clear();
  }

  /** Tells everybody that there is none. */
  fail(reason: unknown): void {
    for (const { reject } of this.#callers) reject(reason);
    this.#callers.clear();
  }
}
