import type { MatrixOptions } from "../../requests/flow_options.ts";
import type { CacheStats } from "../../engine/activations/cache.ts";
import type { Questions } from "../../requests/questions.ts";
import type { EngineInfo } from "../../engine/engine.ts";
import type { FlowResult } from "../../requests/flow_options.ts";
import type { Asker, EngineStats, EngineWorker } from "./engine_worker.ts";
import type { ModelEngine } from "./request_engine.ts";

/** One of the models that a worker has on its device. The queue, the cache, and their counters they have together. */
export class OneOfSeveral implements ModelEngine {
  readonly #worker: EngineWorker;
  readonly #model: number;

  /** @param model Its place among the worker's directories. */
  constructor(worker: EngineWorker, model: number) {
    this.#worker = worker;
    this.#model = model;
  }

  get info(): EngineInfo {
    return this.#worker.infos[this.#model]!;
  }

  get isReady(): boolean {
    return this.#worker.isReady;
  }

  get stats(): EngineStats {
    return this.#worker.stats;
  }

  isWorking(): Promise<boolean> {
    return this.#worker.isWorking();
  }

  admit(): void {
    this.#worker.admit();
  }

  flow(ids: readonly number[], options: MatrixOptions, asker: Asker = {}): Promise<FlowResult> {
    return this.#worker.flow(ids, options, { ...asker, model: this.#model });
  }

  ask<Name extends keyof Questions>(
    name: Name,
    argument: Questions[Name]["argument"],
    asker: Asker = {},
  ): Promise<Questions[Name]["result"]> {
    return this.#worker.ask(name, argument, { ...asker, model: this.#model });
  }

  cacheStats(): Promise<CacheStats> {
    return this.#worker.cacheStats();
  }
}
