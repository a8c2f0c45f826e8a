import { InfoflowError } from "../errors.ts";
import type { MatrixOptions } from "../flow/definitions.ts";
import type { Question, Questions } from "../questions/question.ts";
import type { LoadProgress } from "../model/weights.ts";
import type { CacheStats } from "../patterns/cache.ts";
import type { EngineInfo, FlowResult } from "./engine.ts";
import { type Calls, receiveError, type Reply, type StartOptions } from "./protocol.ts";

/** How to run an engine in a worker. */
export interface EngineWorkerOptions extends StartOptions {
  readonly onProgress?: LoadProgress;
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
 * An engine in a thread of its own, because WebGPU's `mapAsync` stops the thread that calls it until the device is
 * done. When its device is lost or its thread crashes, calls under way fail with DEVICE_LOST and another worker loads
 * the model again; calls made meanwhile wait for it.
 */
export class EngineWorker {
  readonly #options: EngineWorkerOptions;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #worker: Worker | undefined;
  #info: EngineInfo | undefined;
  #ready: Promise<void> = Promise.resolve();
  #isReady = false;
  #isClosed = false;

  private constructor(options: EngineWorkerOptions) {
    this.#options = options;
  }

  /**
   * Starts the worker and waits until its model is on the device.
   *
   * @throws {Error} What kept the engine from starting.
   */
  static async start(options: EngineWorkerOptions): Promise<EngineWorker> {
    const engine = new EngineWorker(options);
    try {
      await engine.#start();
    } catch (error) {
      await engine.close();
      throw error;
    }
    return engine;
  }

  /** What runs, and on what. */
  get info(): EngineInfo {
    return this.#info!;
  }

  /** Whether a model is on a device. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Computes a flow, see {@linkcode Engine.flow}.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE; DEVICE_LOST if the device or the worker went away meanwhile.
   */
  async flow(ids: readonly number[], options: MatrixOptions): Promise<FlowResult> {
    await this.#ready;
    return await this.#call("flow", { ids, options });
  }

  /**
   * Answers another question, see {@linkcode Engine.ask}.
   *
   * @throws As {@linkcode flow} does.
   */
  async ask<Name extends keyof Questions>(
    name: Name,
    argument: Questions[Name]["argument"],
  ): Promise<Questions[Name]["result"]> {
    await this.#ready;
    return await this.#call("ask", { name, argument } as Question) as Questions[Name]["result"];
  }

  /** The counters of the pattern cache. */
  async cacheStats(): Promise<CacheStats> {
    await this.#ready;
    return await this.#call("cacheStats", null);
  }

  /**
   * Ends the worker; calls under way fail with CANCELLED.
   *
   * A process that is about to exit had better not call it, but exit: a Vulkan driver that a dying thread unloads
   * while the exit handlers run takes the process down with SIGSEGV. For whoever calls it, it waits until the thread
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
    const { directory, cacheBytes, tuning, module } = this.#options;
    const url = module ?? new URL("./worker.ts", import.meta.url);
    const worker = this.#worker = new Worker(url, { type: "module", name: "engine" });
    worker.onmessage = ({ data }) => this.#receive(data as Reply);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#lose(worker, `the engine's thread crashed: ${event.message}`);
    };
    this.#info = await this.#call("start", { directory, cacheBytes, tuning });
    this.#isReady = true;
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

  #receive(reply: Reply): void {
    if ("progress" in reply) return this.#options.onProgress?.(...reply.progress);
    if ("lost" in reply) return this.#lose(this.#worker!, `the device was lost: ${reply.lost}`);
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
    // A worker that never was ready is the business of whoever starts it.
    if (!wasReady) return;
    this.#options.onNews?.(reason);
    this.#ready = this.#restart();
    this.#ready.catch(() => {});
  }

  async #restart(): Promise<void> {
    while (!this.#isClosed) {
      try {
        await this.#start();
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
