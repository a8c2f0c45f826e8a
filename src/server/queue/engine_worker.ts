import { InfoflowError } from "../../errors.ts";
import type { MatrixOptions } from "../../requests/flow_options.ts";
import type { Question, Questions } from "../../requests/questions.ts";
import type { CacheStats } from "../../engine/activations/cache.ts";
import { CallBoard } from "../../thread/cancel_flags.ts";
import type { EngineInfo } from "../../engine/engine.ts";
import type { FlowResult } from "../../requests/flow_options.ts";
import type { Answer } from "./pending_request.ts";
import type { MemoryStats } from "../../thread/protocol.ts";
import type { ToModel, Work, WorkResult } from "../../requests/engine_request.ts";
import { MOST_WAITING, type QueueStats, WorkQueue } from "./request_queue.ts";
import { WorkerThread, type WorkerThreadOptions } from "../../thread/worker_thread.ts";

/** How to run an engine for many who ask. */
export interface EngineWorkerOptions extends WorkerThreadOptions {
  /** Requests that may wait for it, {@linkcode MOST_WAITING} by default. */
  readonly mostWaiting?: number | undefined;
}

/** How an engine is doing. */
export interface EngineStats extends MemoryStats {
  /** Whether a model is on a device. */
  readonly isReady: boolean;
  readonly queue: QueueStats;
  /** How often another worker took over. */
  readonly restarts: number;
}

/** Who asks: which model, until when, and who takes down what it cost. */
export interface Asker extends ToModel {
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  readonly note?: (work: Work, answer: Answer) => void;
}

const NOBODY: Asker = {};

/** Who answered so many ms ago works. */
const FRESH_MS = 5000;
/** A pass over one token that takes so many ms is none that works. */
const PROBE_MS = 5000;

const NOTHING: MemoryStats = {
  cache: { entries: 0, bytes: 0, budget: 0, hits: 0, misses: 0, evictions: 0 },
  deviceBytes: 0,
};

/** An engine in a thread of its own, and the queue in front of it. */
export class EngineWorker {
  readonly #thread: WorkerThread;
  readonly #queue: WorkQueue;
  #probe: Promise<boolean> | undefined;

  private constructor(thread: WorkerThread, queue: WorkQueue) {
    this.#thread = thread;
    this.#queue = queue;
  }

  /**
   * Starts the worker and waits until its model is on the device.
   *
   * @throws {Error} What kept the engine from starting.
   */
  static async start(options: EngineWorkerOptions): Promise<EngineWorker> {
    const board = new CallBoard();
    const thread = await WorkerThread.start(options, board);
    const queue = new WorkQueue(thread, board, options.mostWaiting ?? MOST_WAITING);
    return new EngineWorker(thread, queue);
  }

  /** Puts a queue in front of a worker. */
  static of(thread: WorkerThread, queue: WorkQueue): EngineWorker {
    return new EngineWorker(thread, queue);
  }

  /** The first model, or the only one, and what it runs on. */
  get info(): EngineInfo {
    return this.#thread.infos[0]!;
  }

  /** What runs, in the order of the directories, and on what. */
  get infos(): readonly EngineInfo[] {
    return this.#thread.infos;
  }

  /** Whether a model is on a device. */
  get isReady(): boolean {
    return this.#thread.isReady;
  }

  /** How it is doing, as far as is known without asking the worker, which is deaf while the device works. */
  get stats(): EngineStats {
    return {
      isReady: this.isReady,
      queue: this.#queue.stats,
      restarts: this.#thread.restarts,
      ...this.#queue.memory ?? NOTHING,
    };
  }

  /** Whether a pass works: one did a moment ago, or one over a single token does now. */
  async isWorking(): Promise<boolean> {
    if (!this.isReady) return false;
    const age = performance.timeOrigin + performance.now() - this.#queue.lastAnswer;
    if (age < FRESH_MS) return true;
    return await (this.#probe ??= this.#runProbe());
  }

  async #runProbe(): Promise<boolean> {
    const { promise: tooLate, resolve } = Promise.withResolvers<false>();
    const timer = setTimeout(() => resolve(false), PROBE_MS);
    const works = async (): Promise<true> => {
      this.#queue.memory = await this.#thread.probe();
      this.#queue.lastAnswer = performance.timeOrigin + performance.now();
      return true;
    };
    try {
      return await Promise.race([works(), tooLate]);
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
      this.#probe = undefined;
    }
  }

  /**
   * Refuses, if there is no room for another request. Whoever has work to do before it asks, such as reading a prompt,
   * calls it first.
   *
   * @throws {InfoflowError} OVERLOADED, with `retryAfter` in seconds.
   */
  admit(): void {
    this.#queue.admit();
  }

  /**
   * Computes a matrix, see {@linkcode Engine.flow}.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE; OVERLOADED; DEVICE_LOST if the device or the worker went away meanwhile.
   * @throws What the asker's signal was aborted with, as soon as it is.
   */
  async flow(
    ids: readonly number[],
    options: MatrixOptions,
    asker: Asker = NOBODY,
  ): Promise<FlowResult> {
    const { model } = asker;
    return await this.#answer({ ids, options, model }, asker) as FlowResult;
  }

  /**
   * Answers another question, see {@linkcode Engine.ask}.
   *
   * @throws As {@linkcode flow} does.
   */
  async ask<Name extends keyof Questions>(
    name: Name,
    argument: Questions[Name]["argument"],
    asker: Asker = NOBODY,
  ): Promise<Questions[Name]["result"]> {
    const work = { name, argument, model: asker.model } as Question & ToModel;
    return await this.#answer(work, asker) as Questions[Name]["result"];
  }

  async #answer(work: Work, { signal, note }: Asker): Promise<WorkResult> {
    const answer = await this.#queue.submit(work, signal);
    note?.(work, answer);
    return answer.result;
  }

  /** The counters of the pattern cache. */
  cacheStats(): Promise<CacheStats> {
    return this.#thread.cacheStats();
  }

  /** Has the device given back when the work under way is done; the process is about to end. */
  async stop(): Promise<void> {
    await this.#thread.stop();
  }

  /** Has all who wait told CANCELLED. */
  cancel(): void {
    this.#queue.close(new InfoflowError("CANCELLED", "The server was stopped before it was done"));
  }

  /** Ends the worker, see {@linkcode WorkerThread.close}; calls under way fail with CANCELLED. */
  async close(): Promise<void> {
    this.cancel();
    await this.#thread.close();
  }
}
