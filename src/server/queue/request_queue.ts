import { InfoflowError } from "../../errors.ts";
import type { CallBoard } from "../../thread/cancel_flags.ts";
import { MOST_REQUESTS } from "../../engine/engine.ts";
import { type Answer, Flight } from "./pending_request.ts";
import {
  type Batch,
  type BatchResult,
  type MemoryStats,
  receiveError,
} from "../../thread/protocol.ts";
import { RecentPrompts } from "./recent_prompts.ts";
import { idsOf, isQuestion, modelOf, type Work } from "../../requests/engine_request.ts";

/** What computes batches. */
export interface BatchRunner {
  answer(batch: Batch): Promise<BatchResult>;
}

/** The counters of a queue. */
export interface QueueStats {
  /** Requests that wait for the engine. */
  readonly waiting: number;
  readonly limit: number;
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
export class WorkQueue {
  readonly #runner: BatchRunner;
  readonly #board: CallBoard;
  readonly #limit: number;
  readonly #flights = new Map<string, Flight>();
  #queue: Flight[] = [];
  readonly #recent = new RecentPrompts();
  readonly #tries = new WeakMap<Flight, number>();
  #batches = 0;
  #meanMs = 0;
  /** When the engine answered last, in ms since 1970. */
  lastAnswer = 0;
  /** What was on the device then. */
  memory: MemoryStats | undefined;

  constructor(runner: BatchRunner, board: CallBoard, limit: number) {
    this.#runner = runner;
    this.#board = board;
    this.#limit = limit;
  }

  /** How full it is. */
  get stats(): QueueStats {
    let waiting = 0;
    for (const flight of this.#flights.values()) {
      const isRunning = flight.place !== undefined && this.#board.hasBegun(flight.place);
      waiting += isRunning ? flight.callers - 1 : flight.callers;
    }
    return { waiting, limit: this.#limit };
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
    let flight = this.#flights.get(key);
    if (!flight) {
      flight = new Flight(work, key, (left) => this.#drop(left));
      this.#flights.set(key, flight);
      this.#queue.push(flight);
    }
    const answer = flight.join(signal);
    this.#dispatch();
    return await answer;
  }

  /** Tells all who wait that they wait in vain. */
  close(reason: Error): void {
    for (const flight of this.#flights.values()) {
      if (flight.place !== undefined) this.#board.cancel(flight.place);
      flight.fail(reason);
    }
    this.#flights.clear();
    this.#queue = [];
  }

  #dispatch(): void {
    while (this.#batches < MOST_BATCHES && this.#queue.length > 0) this.#send(this.#nextBatch());
  }

  /**
   * Takes the next requests out of the queue: cheap ones first, and as many as go together, which those to one model
   * do; a question goes alone.
   */
  #nextBatch(): Flight[] {
    const known = ({ promptKey }: Flight): boolean => this.#recent.has(promptKey);
    const inOrder = [...this.#queue.filter(known), ...this.#queue.filter((it) => !known(it))];
    const batch: Flight[] = [];
    const prompts = new Set<string>();
    let tokens = 0;
    for (const flight of inOrder) {
      if (batch.length === MOST_REQUESTS) break;
      const { promptKey, work } = flight;
      if (batch.length > 0 && modelOf(work) !== modelOf(batch[0]!.work)) continue;
      if (isQuestion(work)) {
        if (batch.length > 0) continue;
        batch.push(flight);
        break;
      }
      const cost = known(flight) || prompts.has(promptKey) ? 0 : idsOf(work).length;
      if (cost > 0 && tokens > 0 && tokens + cost > MOST_TOKENS) continue;
      tokens += cost;
      prompts.add(promptKey);
      batch.push(flight);
    }
    this.#queue = this.#queue.filter((flight) => !batch.includes(flight));
    return batch;
  }

  async #send(batch: readonly Flight[]): Promise<void> {
    this.#batches++;
    const requests = batch.map((flight) => {
      flight.place = this.#board.take();
      return { work: flight.work, place: flight.place };
    });
    try {
      const result = await this.#runner.answer({ requests });
      this.#settle(batch, result);
    } catch (error) {
      for (const flight of batch) this.#failOrRetry(flight, error);
    } finally {
      for (const { place } of requests) this.#board.free(place);
      this.#batches--;
      this.#dispatch();
    }
  }

  #settle(batch: readonly Flight[], result: BatchResult): void {
    const { outcomes, began, ended, submitted, read, memory } = result;
    const worked = ended - began;
    this.memory = memory;
    if (outcomes.some((outcome) => "value" in outcome)) this.lastAnswer = ended;
    this.#meanMs += FRESHNESS * (worked - this.#meanMs);
    batch.forEach((flight, i) => {
      const outcome = outcomes[i]!;
      this.#forget(flight);
      if ("error" in outcome) return flight.fail(receiveError(outcome.error));
      this.#recent.add(flight.promptKey);
      const { since } = flight;
      const waited = Math.max(0, began - since);
      flight.land({ result: outcome.value, waited, worked, since, began, submitted, read });
    });
  }

  /** A worker that went away answers nothing. What it had not begun, the next one can do. */
  #failOrRetry(flight: Flight, error: unknown): void {
    this.#recent.clear(); // the patterns went with it
    const tries = (this.#tries.get(flight) ?? 0) + 1;
    const hasBegun = this.#board.hasBegun(flight.place!);
    flight.place = undefined;
    const isLost = error instanceof InfoflowError && error.code === "DEVICE_LOST";
    if (isLost && !hasBegun && tries <= MOST_TRIES && flight.callers > 0) {
      this.#tries.set(flight, tries);
      this.#queue.unshift(flight);
      return;
    }
    this.#forget(flight);
    flight.fail(error);
  }

  /** Nobody waits for it any more: what asks for the same from now on flies anew. */
  #drop(flight: Flight): void {
    this.#forget(flight);
    if (flight.place !== undefined) this.#board.cancel(flight.place);
    else this.#queue = this.#queue.filter((other) => other !== flight);
  }

  #forget(flight: Flight): void {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
  }
}
