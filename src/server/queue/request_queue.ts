import { InfoflowError } from "../../errors.ts";
import type { CancelFlags } from "../../thread/cancel_flags.ts";
import { ANYBODY, type Caller } from "./caller.ts";
import type { Pace } from "./pace.ts";
import type { Priority } from "./priority.ts";
import type { TimedResult } from "./timed_result.ts";
import { PendingRequest } from "./pending_request.ts";
import {
  type Batch,
  type BatchResult,
  type MemoryStats,
  receiveError,
} from "../../thread/protocol.ts";
import type { EngineInfo } from "../../engine/engine_info.ts";
import { RecentPrompts } from "./recent_prompts.ts";
import { Turns } from "./turns.ts";
import {
  type EngineRequest,
  idsOf,
  modelOf,
  MOST_REQUESTS,
} from "../../requests/engine_request.ts";
import { hasOwnLimit, isPlain, nameOf } from "./request_kinds.ts";
import { inSeconds, tooLate, tooLong } from "./time_errors.ts";

/** The worker that computes batches. */
export interface BatchRunner {
  /** The models, by their places. */
  readonly infos: readonly Pick<EngineInfo, "passTokens">[];
  answer(batch: Batch): Promise<BatchResult>;
}

/** The counters of a queue. */
export interface QueueStats {
  /** Requests that wait for the engine and still have a caller. */
  readonly waiting: number;
  readonly limit: number;
  /** Prompts of jobs, that wait too. */
  readonly waitingOfJobs: number;
  /** Requests that were sent to the worker, begun or not, and are not answered. */
  readonly atWorker: number;
}

/** The most waiting requests by default. */
export const MOST_WAITING = 64;
/** The most waiting prompts of jobs. */
const MOST_WAITING_OF_JOBS = 1024;
/** Requests that are answered together. */
const MOST_TOGETHER = 16;
/** The most tokens of new prompts in one pass of single requests. */
const MOST_TOKENS = 64;
/** The most tokens of jobs' prompts in one pass while people ask too, who have to wait for it. */
const SHARED_TOKENS = 24;
/** How many workers a request is sent to again after the first one was lost, at most. */
const MOST_TRIES = 2;
/** A request is overtaken only by cheaper ones that come within this many ms after it. */
const MOST_LEAD_MS = 10_000;
/** A shorter request is never refused for its time, because estimates are not that precise. */
const ALWAYS_MS = 1000;
/** A request that takes longer, in ms, waits here while the worker is at work: cheap ones can still overtake it. */
const DEAR_MS = 100;

/**
 * The queue of requests to the engine. It refuses requests beyond a limit, and those that can't be answered in time;
 * computes equal requests once; gives jobs of many prompts the remaining turns, see {@linkcode Turns}; and drops
 * requests whose callers have all left.
 *
 * Requests are ordered by their time of asking plus their cost. A cheap request overtakes an expensive one only if it
 * comes less than the difference of their costs later, so that no request waits for ever.
 */
export class RequestQueue {
  readonly #runner: BatchRunner;
  readonly #flags: CancelFlags;
  readonly #limit: number;
  readonly #pace: Pick<Pace, "estimate" | "learn" | "learnAtLeast">;
  readonly #pending = new Map<string, PendingRequest>();
  #queue: PendingRequest[] = [];
  readonly #turns = new Turns();
  readonly #recent = new RecentPrompts();
  #batches = 0;
  #jobBatches = 0;
  #soon: ReturnType<typeof setTimeout> | undefined;
  /** When the engine answered last, in ms since 1970. */
  lastAnswer = 0;
  /** The memory in use then. */
  memory: MemoryStats | undefined;

  /** @param pace How long requests take. */
  constructor(
    runner: BatchRunner,
    { flags, limit, pace }: {
      readonly flags: CancelFlags;
      readonly limit: number;
      readonly pace: Pick<Pace, "estimate" | "learn" | "learnAtLeast">;
    },
  ) {
    this.#runner = runner;
    this.#flags = flags;
    this.#limit = limit;
    this.#pace = pace;
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
    throw this.#overloaded(`${waiting} are waiting`, { waiting });
  }

  /**
   * Computes a request when its turn comes.
   *
   * @param caller The caller, with its signal and deadline.
   * @throws {InfoflowError} OVERLOADED; MATRIX_TOO_LARGE if it can't be done in the caller's time; what the engine
   *   throws; DEVICE_LOST.
   * @throws What the signal was aborted with, as soon as it is.
   */
  async submit(work: EngineRequest, caller: Caller = ANYBODY): Promise<TimedResult> {
    const { signal, priority = "interactive" } = caller;
    signal?.throwIfAborted();
    this.admit(priority);
    const key = JSON.stringify(work);
    let pending = this.#pending.get(key);
    if (!pending) {
      const cost = this.#pace.estimate(work, false);
      pending = new PendingRequest({ work, key, cost }, (left) => this.#drop(left));
      if (priority === "interactive") this.#checkTime(pending, caller);
      this.#pending.set(key, pending);
      this.#queue.push(pending);
    }
    const answer = pending.join(caller);
    if (priority === "batch") this.#dispatchSoon();
    else this.#dispatch();
    return await answer;
  }

  /** Fails all pending requests. */
  close(reason: Error): void {
    for (const pending of this.#pending.values()) {
      if (pending.slot !== undefined) this.#flags.cancel(pending.slot);
      pending.fail(reason);
    }
    this.#pending.clear();
    this.#queue = [];
  }

  /** Waits a moment for more prompts of a job, to send them together. */
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
      const { length } = this.#queue;
      const batch = priority === "batch" ? this.#nextOfJobs() : this.#nextBatch();
      if (batch.length > 0) this.#send(batch, priority);
      else if (this.#queue.length === length) return; // what waits is dear
    }
  }

  #isKnown({ promptKey }: PendingRequest): boolean {
    return this.#recent.has(promptKey);
  }

  #costOf(pending: PendingRequest): number {
    return this.#isKnown(pending) ? this.#pace.estimate(pending.work, true) : pending.cost;
  }

  /** How long the waiting interactive requests will take, in ms. */
  get #msAhead(): number {
    return this.#queue.reduce(
      (sum, pending) => sum + (pending.priority === "interactive" ? this.#costOf(pending) : 0),
      0,
    );
  }

  #checkTime(pending: PendingRequest, { endsAt }: Caller): void {
    if (endsAt === undefined || hasOwnLimit(pending.work)) return;
    const cost = this.#costOf(pending);
    const left = endsAt - now();
    if (cost > left && cost > ALWAYS_MS) throw tooLong(cost, left);
    const ahead = this.#msAhead;
    if (ahead + cost <= left || ahead <= ALWAYS_MS) return;
    throw this.#overloaded(`what waits will take about ${inSeconds(ahead)} seconds`, {
      estimate: Math.round(ahead + cost),
    });
  }

  #overloaded(reason: string, details: Readonly<Record<string, number>>): InfoflowError {
    const retryAfter = Math.min(60, Math.max(1, Math.ceil(this.#msAhead / 1000)));
    return new InfoflowError(
      "OVERLOADED",
      `Cannot take another request as ${reason}: ask again in a moment`,
      { ...details, retryAfter },
    );
  }

  /**
   * Takes the next requests out of the queue: several plain flows of one model, or one request that may take longer.
   */
  #nextBatch(): PendingRequest[] {
    const inOrder = this.#queue.filter(({ priority }) => priority === "interactive")
      .map((pending) => {
        return { pending, turn: pending.since + Math.min(this.#costOf(pending), MOST_LEAD_MS) };
      })
      .sort((a, b) => a.turn - b.turn).map(({ pending }) => pending);
    const batch: PendingRequest[] = [];
    const late: PendingRequest[] = [];
    const prompts = new Set<string>();
    let tokens = 0;
    for (const pending of inOrder) {
      if (batch.length === MOST_TOGETHER) break;
      const { promptKey, work } = pending;
      const isAlone = !isPlain(work);
      if (batch.length > 0 && (isAlone || modelOf(work) !== modelOf(batch[0]!.work))) continue;
      if (isAlone && this.#batches > 0 && this.#costOf(pending) > DEAR_MS) break;
      if (!this.#canEnd(pending)) {
        late.push(pending);
        continue;
      }
      const isFree = this.#isKnown(pending) || prompts.has(promptKey);
      const cost = isFree ? 0 : idsOf(work).length;
      if (cost > 0 && tokens > 0 && tokens + cost > MOST_TOKENS) continue;
      tokens += cost;
      prompts.add(promptKey);
      batch.push(pending);
      if (isAlone) break;
    }
    for (const pending of late) {
      this.#forget(pending);
      pending.fail(tooLate(this.#costOf(pending)));
    }
    this.#taken(late);
    return this.#taken(batch);
  }

  /** Whether a request can finish by its deadline; others are not begun. */
  #canEnd(pending: PendingRequest): boolean {
    const cost = this.#costOf(pending);
    return cost <= ALWAYS_MS || hasOwnLimit(pending.work) || now() + cost <= pending.endsAt;
  }

  /**
   * Takes the next prompts of jobs: in their order, those of one model that are asked the same, as many as the adapter
   * likes in one pass; a few where people ask too, who wait until it is over.
   */
  #nextOfJobs(): PendingRequest[] {
    const jobs = this.#queue.filter(({ priority }) => priority === "batch");
    const [{ work: first }] = jobs as [PendingRequest];
    const model = modelOf(first);
    const mostTokens = this.#turns.isShared ? SHARED_TOKENS : this.#runner.infos[model]!.passTokens;
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
    const isNew = !this.#isKnown(batch[0]!);
    try {
      const result = await this.#runner.answer({
        requests,
        cache: isJob ? "look" : "keep",
      });
      if (isNew && batch.length === 1) this.#learn(batch[0]!, result);
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

  /** Learns how long similar requests take from one that was answered alone, or given up. */
  #learn({ work }: PendingRequest, { outcomes: [outcome], began, ended }: BatchResult): void {
    if ("error" in outcome!) this.#pace.learnAtLeast(work, ended - began);
    else if (!outcome!.value.cacheHit) this.#pace.learn(work, ended - began);
  }

  #settle(batch: readonly PendingRequest[], result: BatchResult, isJob: boolean): void {
    const { outcomes, began, ended, submitted, read, memory } = result;
    const worked = ended - began;
    this.memory = memory;
    if (outcomes.some((outcome) => "value" in outcome)) this.lastAnswer = ended;
    batch.forEach((pending, i) => {
      const outcome = outcomes[i]!;
      this.#forget(pending);
      if ("error" in outcome) return pending.fail(receiveError(outcome.error));
      if (!isJob) this.#recent.add(pending.promptKey);
      const { since } = pending;
      const waited = Math.max(0, began - since);
      pending.resolve({ result: outcome.value, waited, worked, since, began, submitted, read });
    });
  }

  /** Requests that a lost worker had not begun are sent to the next one. */
  #failOrRetry(pending: PendingRequest, error: unknown): void {
    this.#recent.clear(); // the patterns went with it
    const hasBegun = this.#flags.hasBegun(pending.slot!);
    pending.slot = undefined;
    pending.tries++;
    const isLost = error instanceof InfoflowError && error.code === "DEVICE_LOST";
    if (isLost && !hasBegun && pending.tries <= MOST_TRIES && pending.callers > 0) {
      this.#queue.unshift(pending);
      return;
    }
    this.#forget(pending);
    pending.fail(error);
  }

  /** All its callers are gone: a later equal request starts over. */
  #drop(pending: PendingRequest): void {
    this.#forget(pending);
    if (pending.slot !== undefined) this.#flags.cancel(pending.slot);
    else this.#queue = this.#queue.filter((other) => other !== pending);
  }

  #forget(pending: PendingRequest): void {
    if (this.#pending.get(pending.key) === pending) this.#pending.delete(pending.key);
  }
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
