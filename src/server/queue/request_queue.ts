import { InfoflowError } from "../../errors.ts";
import type { CancelFlags } from "../../thread/cancel_flags.ts";
import { type Answer, PendingRequest } from "./pending_request.ts";
import {
  type Batch,
  type BatchResult,
  type MemoryStats,
  receiveError,
} from "../../thread/protocol.ts";
import { RecentPrompts } from "./recent_prompts.ts";
import {
  idsOf,
  isQuestion,
  modelOf,
  MOST_REQUESTS,
  type Work,
} from "../../requests/engine_request.ts";

/** What computes batches. */
export interface BatchRunner {
  answer(batch: Batch): Promise<BatchResult>;
}

/** The counters of a queue. */
export interface QueueStats {
  /** Requests that wait for the engine. */
  readonly waiting: number;
  readonly limit: number;
  /** Requests that were sent to the worker, begun or not, and are not answered. */
  readonly atWorker: number;
}

/** Requests that may wait, where nothing else is said. */
export const MOST_WAITING = 64;
/** New prompts are computed in one pass up to so many tokens; beyond it they wait for each other. */
const MOST_TOKENS = 64;
/** Batches on their way to the worker: one at work, and one there that it can turn to at once. */
const MOST_BATCHES = 2;
/** A request is sent again to the worker that takes over, but not for ever. */
const MOST_TRIES = 2;
/** Of a batch's time, how much counts in the mean. */
const FRESHNESS = 0.2;

/**
 * Requests in front of the engine. It takes so many and refuses more; it answers equal requests once; it lets prompts
 * that were answered a moment ago, and cost next to nothing, go before those that cost a pass; and it forgets what
 * nobody waits for any more.
 */
export class RequestQueue {
  readonly #runner: BatchRunner;
  readonly #flags: CancelFlags;
  readonly #limit: number;
  readonly #pending = new Map<string, PendingRequest>();
  #queue: PendingRequest[] = [];
  readonly #recent = new RecentPrompts();
  readonly #tries = new WeakMap<PendingRequest, number>();
  #batches = 0;
  #meanMs = 0;
  /** When the engine answered last, in ms since 1970. */
  lastAnswer = 0;
  /** What was on the device then. */
  memory: MemoryStats | undefined;

  constructor(runner: BatchRunner, flags: CancelFlags, limit: number) {
    this.#runner = runner;
    this.#flags = flags;
    this.#limit = limit;
  }

  /** How full it is. */
  get stats(): QueueStats {
    let waiting = 0;
    for (const pending of this.#pending.values()) {
      const isRunning = pending.slot !== undefined && this.#flags.hasBegun(pending.slot);
      waiting += isRunning ? pending.callers - 1 : pending.callers;
    }
    return { waiting, limit: this.#limit, atWorker: this.#flags.taken };
  }

  /**
   * Refuses, if there is no room for another request.
   *
   * @throws {InfoflowError} OVERLOADED, with `waiting`, and `retryAfter` in seconds.
   */
  admit(): void {
    const { waiting } = this.stats;
    if (waiting < this.#limit) return;
    const seconds = Math.ceil(this.#queue.length / MOST_REQUESTS * this.#meanMs / 1000);
    throw new InfoflowError(
      "OVERLOADED",
      `Cannot take another request as ${waiting} are waiting: ask again in a moment`,
      { waiting, retryAfter: Math.min(60, Math.max(1, seconds)) },
    );
  }

  /**
   * Has a request computed when its turn comes.
   *
   * @param signal Aborted when nobody waits for the answer any more.
   * @throws {InfoflowError} OVERLOADED, or what the engine throws, or DEVICE_LOST.
   * @throws What `signal` was aborted with, as soon as it is.
   */
  async submit(work: Work, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted();
    this.admit();
    const key = JSON.stringify(work);
    let pending = this.#pending.get(key);
    if (!pending) {
      pending = new PendingRequest(work, key, (left) => this.#drop(left));
      this.#pending.set(key, pending);
      this.#queue.push(pending);
    }
    const answer = pending.join(signal);
    this.#dispatch();
    return await answer;
  }

  /** Tells all who wait that they wait in vain. */
  close(reason: Error): void {
    for (const pending of this.#pending.values()) {
      if (pending.slot !== undefined) this.#flags.cancel(pending.slot);
      pending.fail(reason);
    }
    this.#pending.clear();
    this.#queue = [];
  }

  #dispatch(): void {
    while (this.#batches < MOST_BATCHES && this.#queue.length > 0) this.#send(this.#nextBatch());
  }

  /**
   * Takes the next requests out of the queue: cheap ones first, and as many as go together, which those to one model
   * do; a question goes alone.
   */
  #nextBatch(): PendingRequest[] {
    const known = ({ promptKey }: PendingRequest): boolean => this.#recent.has(promptKey);
    const inOrder = [...this.#queue.filter(known), ...this.#queue.filter((it) => !known(it))];
    const batch: PendingRequest[] = [];
    const prompts = new Set<string>();
    let tokens = 0;
    for (const pending of inOrder) {
      if (batch.length === MOST_REQUESTS) break;
      const { promptKey, work } = pending;
      if (batch.length > 0 && modelOf(work) !== modelOf(batch[0]!.work)) continue;
      if (isQuestion(work)) {
        if (batch.length > 0) continue;
        batch.push(pending);
        break;
      }
      const cost = known(pending) || prompts.has(promptKey) ? 0 : idsOf(work).length;
      if (cost > 0 && tokens > 0 && tokens + cost > MOST_TOKENS) continue;
      tokens += cost;
      prompts.add(promptKey);
      batch.push(pending);
    }
    this.#queue = this.#queue.filter((pending) => !batch.includes(pending));
    return batch;
  }

  async #send(batch: readonly PendingRequest[]): Promise<void> {
    this.#batches++;
    const requests = batch.map((pending) => {
      pending.slot = this.#flags.take();
      return { work: pending.work, slot: pending.slot };
    });
    try {
      const result = await this.#runner.answer({ requests });
      this.#settle(batch, result);
    } catch (error) {
      for (const pending of batch) this.#failOrRetry(pending, error);
    } finally {
      for (const { slot } of requests) this.#flags.free(slot);
      this.#batches--;
      this.#dispatch();
    }
  }

  #settle(batch: readonly PendingRequest[], result: BatchResult): void {
    const { outcomes, began, ended, submitted, read, memory } = result;
    const worked = ended - began;
    this.memory = memory;
    if (outcomes.some((outcome) => "value" in outcome)) this.lastAnswer = ended;
    this.#meanMs += FRESHNESS * (worked - this.#meanMs);
    batch.forEach((pending, i) => {
      const outcome = outcomes[i]!;
      this.#forget(pending);
      if ("error" in outcome) return pending.fail(receiveError(outcome.error));
      this.#recent.add(pending.promptKey);
      const { since } = pending;
      const waited = Math.max(0, began - since);
      pending.land({ result: outcome.value, waited, worked, since, began, submitted, read });
    });
  }

  /** A worker that went away answers nothing. What it had not begun, the next one can do. */
  #failOrRetry(pending: PendingRequest, error: unknown): void {
    this.#recent.clear(); // the patterns went with it
    const tries = (this.#tries.get(pending) ?? 0) + 1;
    const hasBegun = this.#flags.hasBegun(pending.slot!);
    pending.slot = undefined;
    const isLost = error instanceof InfoflowError && error.code === "DEVICE_LOST";
    if (isLost && !hasBegun && tries <= MOST_TRIES && pending.callers > 0) {
      this.#tries.set(pending, tries);
      this.#queue.unshift(pending);
      return;
    }
    this.#forget(pending);
    pending.fail(error);
  }

  /** Nobody waits for it any more: what asks for the same from now on flies anew. */
  #drop(pending: PendingRequest): void {
    this.#forget(pending);
    if (pending.slot !== undefined) this.#flags.cancel(pending.slot);
    else this.#queue = this.#queue.filter((other) => other !== pending);
  }

  #forget(pending: PendingRequest): void {
    if (this.#pending.get(pending.key) === pending) this.#pending.delete(pending.key);
  }
}
