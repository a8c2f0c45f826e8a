import { InfoflowError } from "../../errors.ts";
import type { CacheStats } from "../../engine/activations/cache.ts";
import { CancelFlags } from "../../thread/cancel_flags.ts";
import type { EngineInfo } from "../../engine/engine_info.ts";
import { ANYBODY, type Caller } from "./caller.ts";
import { Pace } from "./pace.ts";
import { passOperations } from "../../requests/operations.ts";
import type { Priority } from "./priority.ts";
import type { TimedResult } from "./timed_result.ts";
import type { MemoryStats } from "../../thread/protocol.ts";
import type { EngineRequest } from "../../requests/engine_request.ts";
import { MOST_WAITING, type QueueStats, RequestQueue } from "./request_queue.ts";
import { WorkerThread, type WorkerThreadOptions } from "../../thread/worker_thread.ts";

/** Options of the worker. */
export interface EngineWorkerOptions extends WorkerThreadOptions {
  /** Requests that may wait for it, {@linkcode MOST_WAITING} by default. */
  readonly mostWaiting?: number | undefined;
}

/** The state of an engine. */
export interface EngineStats extends MemoryStats {
  /** Whether a model is on a device. */
  readonly isReady: boolean;
  readonly queue: QueueStats;
  /** The number of restarts. */
  readonly restarts: number;
}

/** An answer within this many ms proves that the worker works. */
const FRESH_MS = 5000;
/** A pass over one token that takes longer than this many ms counts as failed. */
const PROBE_MS = 5000;
/** A worker at work that reports nothing for this many ms is stuck: no piece of a pass takes that long. */
const STUCK_MS = 60_000;
/** Tokens of the pass by which the pace is measured at the start. */
const PACE_TOKENS = 64;

const NOTHING: MemoryStats = {
  cache: { entries: 0, bytes: 0, budget: 0, hits: 0, misses: 0, evictions: 0 },
  deviceBytes: 0,
};

/** The engines' thread, and its queue. Requests use it through a `ModelClient`. */
export class EngineWorker {
  readonly #thread: WorkerThread;
  readonly #queue: RequestQueue;
  readonly #flags: CancelFlags;
  #probe: Promise<boolean> | undefined;

  private constructor(thread: WorkerThread, queue: RequestQueue, flags: CancelFlags) {
    this.#thread = thread;
    this.#queue = queue;
    this.#flags = flags;
  }

  /**
   * Starts the worker and waits until its model is on the device.
   *
   * @throws {Error} If the engine does not start.
   */
  static async start(options: EngineWorkerOptions): Promise<EngineWorker> {
    const flags = new CancelFlags();
    const thread = await WorkerThread.start(options, flags);
    const pace = new Pace((model) => thread.infos[model]!.architecture);
    const limit = options.mostWaiting ?? MOST_WAITING;
    const worker = new EngineWorker(
      thread,
      new RequestQueue(thread, { flags, limit, pace }),
      flags,
    );
    for (const [model, { architecture }] of thread.infos.entries()) {
      const tokens = Math.min(PACE_TOKENS, architecture.context);
      // Requests made meanwhile wait for it; if it fails, they fail too.
      thread.timePass({ model, tokens }).then(
        (ms) => pace.learnPass(model, passOperations(architecture, tokens), ms),
        () => {},
      );
    }
    return worker;
  }

  /** What runs, in the order of the directories, and on what. */
  get infos(): readonly EngineInfo[] {
    return this.#thread.infos;
  }

  /** Whether a model is on a device. */
  get isReady(): boolean {
    return this.#thread.isReady;
  }

  /** Its state, without asking the worker, which can't answer while the device works. */
  get stats(): EngineStats {
    return {
      isReady: this.isReady,
      queue: this.#queue.stats,
      restarts: this.#thread.restarts,
      ...this.#queue.memory ?? NOTHING,
    };
  }

  /**
   * The worker's state: `failing`; `busy`, as its heartbeat shows; or `ready`, after a recent pass that worked. Without
   * one, a pass over one token is run now.
   */
  async health(): Promise<"failing" | "busy" | "ready"> {
    if (!this.isReady) return "failing";
    if (this.#flags.taken > 0 || this.#probe) {
      return this.#flags.sinceBeat < STUCK_MS ? "busy" : "failing";
    }
    const age = performance.timeOrigin + performance.now() - this.#queue.lastAnswer;
    if (age < FRESH_MS) return "ready";
    return await (this.#probe ??= this.#runProbe()) ? "ready" : "failing";
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
   * Refuses if there is no room for another request. Called before work that a refusal would make useless, such as
   * reading a prompt.
   *
   * @throws {InfoflowError} OVERLOADED, with `retryAfter` in seconds.
   */
  admit(priority?: Priority): void {
    this.#queue.admit(priority);
  }

  /**
   * Computes a request when its turn comes.
   *
   * @param caller Its signal is aborted when the client no longer waits for the answer.
   * @throws {InfoflowError} OVERLOADED; what the engine throws; DEVICE_LOST if the device or the worker went away.
   * @throws What the signal was aborted with, as soon as it is.
   */
  submit(work: EngineRequest, caller: Caller = ANYBODY): Promise<TimedResult> {
    return this.#queue.submit(work, caller);
  }

  /** The counters of the pattern cache. */
  cacheStats(): Promise<CacheStats> {
    return this.#thread.cacheStats();
  }

  /** Releases the device after the current work, before the process ends. */
  async stop(): Promise<void> {
    await this.#thread.stop();
  }

  /** Fails all pending requests with CANCELLED. */
  cancel(): void {
    this.#queue.close(new InfoflowError("CANCELLED", "The server was stopped before it was done"));
  }

  /** Ends the worker, see {@linkcode WorkerThread.close}; calls under way fail with CANCELLED. */
  async close(): Promise<void> {
    this.cancel();
    await this.#thread.close();
  }
}
