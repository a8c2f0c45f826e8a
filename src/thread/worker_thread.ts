import { InfoflowError } from "../errors.ts";
import type { CacheStats } from "../engine/activations/cache.ts";
import type { CancelFlags } from "./cancel_flags.ts";
import type { EngineInfo } from "../engine/engine_info.ts";
import { newWorker } from "./new_worker.ts";
import {
  type Batch,
  type BatchResult,
  type Calls,
  type MemoryStats,
  receiveError,
  type Reply,
  type StartOptions,
} from "./protocol.ts";

/** How to run an engine in a thread of its own. */
export interface WorkerThreadOptions extends StartOptions {
  /** Told how much of which model is loaded. */
  readonly onProgress?: (done: number, total: number, model: number) => void;
  /** Told when the device was lost or the worker crashed, and when another one took over. */
  readonly onNews?: (news: string) => void;
  /** The worker's module, where it is not the usual one. */
  readonly module?: URL;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

const RETRY_MS = 1000;
const TEARDOWN_MS = 100;

/**
 * The thread of an engine. It is one of its own because WebGPU's `mapAsync` stops the thread that calls it until the
 * device is done. When its device is lost or its thread crashes, calls under way fail with DEVICE_LOST and another
 * worker loads the model again; calls made meanwhile wait for it.
 */
export class WorkerThread {
  readonly #options: WorkerThreadOptions;
  readonly #flags: CancelFlags;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #worker: Worker | undefined;
  #infos: readonly EngineInfo[] = [];
  #ready: Promise<void> = Promise.resolve();
  #isReady = false;
  #isClosed = false;
  /** The number of restarts. */
  restarts = 0;

  private constructor(options: WorkerThreadOptions, flags: CancelFlags) {
    this.#options = options;
    this.#flags = flags;
  }

  /**
   * Starts the worker and waits until its models are on the device.
   *
   * @throws {Error} If the engine does not start.
   */
  static async start(options: WorkerThreadOptions, flags: CancelFlags): Promise<WorkerThread> {
    const thread = new WorkerThread(options, flags);
    try {
      await thread.#start();
    } catch (error) {
      await thread.close();
      throw error;
    }
    return thread;
  }

  /** What runs, in the order of the directories, and on what. */
  get infos(): readonly EngineInfo[] {
    return this.#infos;
  }

  /** Whether a model is on a device. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Has a batch answered, see {@linkcode Engine.flows} and {@linkcode Engine.ask}.
   *
   * @throws {InfoflowError} DEVICE_LOST if the device or the worker went away meanwhile.
   */
  async answer(batch: Batch): Promise<BatchResult> {
    return await this.#callWhenReady("answer", batch);
  }

  /** The counters of the pattern cache. */
  async cacheStats(): Promise<CacheStats> {
    return await this.#callWhenReady("cacheStats", null);
  }

  /**
   * Runs a pass over one token.
   *
   * @throws {Error} If it does not work.
   */
  async probe(): Promise<MemoryStats> {
    return await this.#callWhenReady("probe", null);
  }

  /** Runs a pass over some tokens, and says how long it took in ms. */
  async timePass(argument: Calls["timePass"]["argument"]): Promise<number> {
    return await this.#callWhenReady("timePass", argument);
  }

  /** Has the device given back when the batch under way is done, as the last thing before the process ends. */
  async stop(): Promise<void> {
    if (this.#isReady) await this.#call("stop", null);
    this.#isReady = false;
  }

  /**
   * Ends the worker; calls under way fail with CANCELLED.
   *
   * A process that is about to exit had better not call it, but exit: a Vulkan driver that a dying thread unloads
   * while the exit handlers run takes the process down with SIGSEGV. It waits until the thread
   * ought to be gone, of which nothing tells.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#isReady = false;
    this.#worker?.terminate();
    this.#failPending(stopped());
    await new Promise((resolve) => setTimeout(resolve, TEARDOWN_MS));
  }

  async #start(): Promise<void> {
    const {
      adapter,
      directories,
      cacheBytes,
      saes,
      saeBytes,
      fingerprintsFile,
      weightType,
      module,
    } = this.#options;
    // A worker that takes over chooses as the first did, so that its answers are the same to the bit.
    const tuning = {
      ...this.#options.tuning,
      redo: this.#infos.length > 0 ? false : this.#options.tuning?.redo,
    };
    const worker = this.#worker = module
      ? new Worker(module, { type: "module", name: "engine" })
      : newWorker();
    worker.onmessage = ({ data }) => this.#receive(worker, data as Reply);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(worker, `the engine's thread crashed: ${event.message}`);
    };
    this.#infos = await this.#call("start", {
      adapter,
      directories,
      cacheBytes,
      saes,
      saeBytes,
      tuning,
      weightType,
      fingerprintsFile,
      flags: this.#flags.memory,
    });
    this.#isReady = true;
  }

  /** Waits until a worker is ready; if it is lost before the waiting code goes on, waits for the next one. */
  async #callWhenReady<Name extends keyof Calls>(
    call: Name,
    argument: Calls[Name]["argument"],
  ): Promise<Calls[Name]["result"]> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#ready) await (seen = this.#ready);
    return await this.#call(call, argument);
  }

  #call<Name extends keyof Calls>(
    call: Name,
    argument: Calls[Name]["argument"],
  ): Promise<Calls[Name]["result"]> {
    if (this.#isClosed) return Promise.reject(stopped());
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<Calls[Name]["result"]>();
    this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject });
    this.#worker!.postMessage({ id, call, argument });
    return promise;
  }

  #receive(worker: Worker, reply: Reply): void {
    if (worker !== this.#worker) return; // the last words of one that was given up
    if ("progress" in reply) return this.#options.onProgress?.(...reply.progress);
    if ("lost" in reply) return this.#lose(worker, `the device was lost: ${reply.lost}`);
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ("error" in reply) pending?.reject(receiveError(reply.error));
    else pending?.resolve(reply.result);
  }

  #lose(worker: Worker, reason: string): void {
    if (worker !== this.#worker || this.#isClosed) return;
    const wasReady = this.#isReady;
    this.#isReady = false;
    worker.terminate();
    this.#worker = undefined;
    this.#failPending(
      new InfoflowError("DEVICE_LOST", `Cannot finish the request as ${reason}; ask again`),
    );
    // A worker that was never ready fails the call that started it.
    if (!wasReady) return;
    this.#options.onNews?.(reason);
    this.#ready = this.#restart();
    this.#ready.catch(() => {});
  }

  async #restart(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#start();
        this.restarts++;
        this.#options.onNews?.("the model is on the device again");
        return;
      } catch (error) {
        this.#options.onNews?.(`cannot load the model again: ${(error as Error).message}`);
        this.#worker?.terminate();
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #failPending(error: Error): void {
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}

function stopped(): InfoflowError {
  return new InfoflowError("CANCELLED", "The server was stopped before it was done");
}
