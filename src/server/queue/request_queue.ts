import { InfoflowError } from "../../errors.ts";
import type { CancelFlags } from "../../thread/cancel_flags.ts";
import type { Caller } from "./caller.ts";
import type { Priority } from "./priority.ts";
import { type Answer, PendingRequest } from "./pending_request.ts";
import {
  type Batch,
  type BatchResult,
  type MemoryStats,
  receiveError,
} from "../../thread/protocol.ts";
import { MOST_REQUESTS } from "../../requests/engine_request.ts";
import type { EngineInfo } from "../../engine/engine.ts";
import { RecentPrompts } from "./recent_prompts.ts";
import { Turns } from "./turns.ts";
import { idsOf, isQuestion, modelOf, type Work } from "../../requests/engine_request.ts";

/** What computes batches. */
export interface BatchRunner {
  /** The models, by their places. */
  readonly infos: readonly Pick<EngineInfo, "passTokens">[];
  answer(batch: Batch): Promise<BatchResult>;
}

/** The counters of a queue. */
export interface QueueStats {
  /** Requests that somebody waits for, and that wait for the engine. */
  readonly waiting: number;
  readonly limit: number;
  /** Prompts of jobs, that wait too. */
  readonly waitingOfJobs: number;
  /** Requests that were sent to the worker, begun or not, and are not answered. */
  readonly atWorker: number;
}

/** Requests that may wait, where nothing else is said. */
export const MOST_WAITING = 64;
/** Prompts of jobs that may wait: a job has a window of them, and there are few jobs. */
const MOST_WAITING_OF_JOBS = 1024;
/** Requests that are answered together. */
const MOST_TOGETHER = 16;
/** New prompts are computed in one pass up to so many tokens; beyond it they wait for each other. */
const MOST_TOKENS = 64;
/** A request is sent again to the worker that takes over, but not for ever. */
const MOST_TRIES = 2;
/** Of a batch's time, how much counts in the mean. */
const FRESHNESS = 0.2;

/**
 * Requests in front of the engine. It takes so many and refuses more; it answers equal requests once; it lets prompts
 * that were answered a moment ago, and cost next to nothing, go before those that cost a pass; it gives jobs of many
 * prompts the turns that are left, see {@linkcode Turns}; and it forgets what nobody waits for any more.
 */
export class RequestQueue {
  readonly #runner: BatchRunner;
  readonly #flags: CancelFlags;
  readonly #limit: number;
  readonly #pending = new Map<string, PendingRequest>();
  #queue: PendingRequest[] = [];
  readonly #turns = new Turns();
  readonly #recent = new RecentPrompts();
  readonly #tries = new WeakMap<PendingRequest, number>();
  #batches = 0;
  #jobBatches = 0;
  #soon: ReturnType<typeof setTimeout> | undefined;
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
    let [waiting, waitingOfJobs] = [0, 0];
    for (const pending of this.#pending.values()) {
      const isRunning = pending.slot !== undefined && this.#flags.hasBegun(pending.slot);
      const callers = isRunning ? pending.callers - 1 : pending.callers;
      if (pending.priority === "batch") waitingOfJobs += callers;
      else waiting += callers;
    }
    return { waiting, limit: this.#limit, waitingOfJobs, atWorker: this.#flags.taken };
  }

  /**
   * Refuses, if there is no room for another request of a class.
   *
   * @throws {InfoflowError} OVERLOADED, with `waiting`, and `retryAfter` in seconds.
   */
  admit(priority: Priority = "interactive"): void {
    const { stats } = this;
    const isJob = priority === "batch";
    const waiting = isJob ? stats.waitingOfJobs : stats.waiting;
    if (waiting < (isJob ? MOST_WAITING_OF_JOBS : this.#limit)) return;
    const seconds = Math.ceil(this.#queue.length / MOST_TOGETHER * this.#meanMs / 1000);
    throw new InfoflowError(
      "OVERLOADED",
      `Cannot take another request as ${waiting} are waiting: ask again in a moment`,
      { waiting, retryAfter: Math.min(60, Math.max(1, seconds)) },
    );
  }

  /**
   * Has a request computed when its turn comes.
   *
   * @param caller Its signal is aborted when nobody waits for the answer any more.
   * @throws {InfoflowError} OVERLOADED, or what the engine throws, or DEVICE_LOST.
   * @throws What the signal was aborted with, as soon as it is.
   */
  async submit(
    work: Work,
    { signal, priority = "interactive" }: Pick<Caller, "signal" | "priority"> = {},
  ): Promise<Answer> {
    signal?.throwIfAborted();
    this.admit(priority);
    const key = JSON.stringify(work);
    let pending = this.#pending.get(key);
    if (!pending) {
      pending = new PendingRequest(work, key, (left) => this.#drop(left));
      this.#pending.set(key, pending);
      this.#queue.push(pending);
    }
    const answer = pending.join(signal, priority);
    if (priority === "batch") this.#dispatchSoon();
    else this.#dispatch();
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

  /** Prompts of jobs come many at a time: they wait for those that come with them. */
  #dispatchSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#dispatch();
    }, 0);
  }

  #dispatch(): void {
    for (;;) {
      const priority = this.#turns.next({
        people: this.#queue.some((pending) => pending.priority === "interactive"),
        jobs: this.#queue.some((pending) => pending.priority === "batch"),
        atWorker: this.#batches,
        jobsAtWorker: this.#jobBatches,
      });
      if (priority === undefined) return;
      this.#send(priority === "batch" ? this.#nextOfJobs() : this.#nextBatch(), priority);
    }
  }

  /**
   * Takes the next requests out of the queue: cheap ones first, and as many as go together, which those to one model
   * do; a question goes alone.
   */
  #nextBatch(): PendingRequest[] {
    const known = ({ promptKey }: PendingRequest): boolean => this.#recent.has(promptKey);
    const urgent = this.#queue.filter(({ priority }) => priority === "interactive");
    const inOrder = [...urgent.filter(known), ...urgent.filter((it) => !known(it))];
    const batch: PendingRequest[] = [];
    const prompts = new Set<string>();
    let tokens = 0;
    for (const pending of inOrder) {
      if (batch.length === MOST_TOGETHER) break;
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
    return this.#taken(batch);
  }

  /**
   * Takes the next prompts of jobs: in their order, those of one model that are asked the same, as many as the adapter
   * likes in one pass; a few where people ask too, who wait until it is over.
   */
  #nextOfJobs(): PendingRequest[] {
    const jobs = this.#queue.filter(({ priority }) => priority === "batch");
    const [{ work: first }] = jobs as [PendingRequest];
    const model = modelOf(first);
    const mostTokens = this.#turns.isShared ? MOST_TOKENS : this.#runner.infos[model]!.passTokens;
    const batch: PendingRequest[] = [];
    let tokens = 0;
    for (const pending of jobs) {
      const { work } = pending;
      if (modelOf(work) !== model || nameOf(work) !== nameOf(first)) continue;
      tokens += idsOf(work).length;
      if (batch.length > 0 && (tokens > mostTokens || batch.length === MOST_REQUESTS)) break;
      batch.push(pending);
    }
    return this.#taken(batch);
  }

  #taken(batch: PendingRequest[]): PendingRequest[] {
    this.#queue = this.#queue.filter((pending) => !batch.includes(pending));
    return batch;
  }

  async #send(batch: readonly PendingRequest[], priority: Priority): Promise<void> {
    const isJob = priority === "batch";
    this.#batches++;
    if (isJob) this.#jobBatches++;
    const requests = batch.map((pending) => {
      pending.slot = this.#flags.take();
      return { work: pending.work, slot: pending.slot };
    });
    try {
      const result = await this.#runner.answer({
        requests,
        cache: isJob ? "look" : "keep",
      });
      this.#settle(batch, result, isJob);
    } catch (error) {
      for (const pending of batch) this.#failOrRetry(pending, error);
    } finally {
      for (const { slot } of requests) this.#flags.free(slot);
      this.#batches--;
      if (isJob) this.#jobBatches--;
      this.#dispatch();
    }
  }

  #settle(batch: readonly PendingRequest[], result: BatchResult, isJob: boolean): void {
    const { outcomes, began, ended, submitted, read, memory } = result;
    const worked = ended - began;
    this.memory = memory;
    if (outcomes.some((outcome) => "value" in outcome)) this.lastAnswer = ended;
    this.#meanMs += FRESHNESS * (worked - this.#meanMs);
    batch.forEach((pending, i) => {
      const outcome = outcomes[i]!;
      this.#forget(pending);
      if ("error" in outcome) return pending.fail(receiveError(outcome.error));
      if (!isJob) this.#recent.add(pending.promptKey);
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

/** What is asked: matrices are answered together, and questions of one name. */
function nameOf(work: Work): string {
  return isQuestion(work) ? work.name : "matrix";
}
