import type { MatrixOptions } from "../flow/definitions.ts";
import type { Questions } from "../questions/question.ts";
import type { CacheStats } from "../patterns/cache.ts";
import type { EngineInfo, FlowResult } from "./engine.ts";
import type { EngineWorker } from "./engine_worker.ts";
import type { PassBudget } from "./pass_budget.ts";

/** What requests may do with an engine. */
export type ModelEngine = Pick<EngineWorker, "info" | "isReady" | "flow" | "ask" | "cacheStats">;

/** An engine as one request sees it: what it asks for counts as that request's. */
export class RequestEngine implements ModelEngine {
  readonly #engine: ModelEngine;
  readonly #passes: PassBudget;

  constructor(engine: ModelEngine, passes: PassBudget) {
    this.#engine = engine;
    this.#passes = passes;
  }

  get info(): EngineInfo {
    return this.#engine.info;
  }

  get isReady(): boolean {
    return this.#engine.isReady;
  }

  async flow(ids: readonly number[], options: MatrixOptions): Promise<FlowResult> {
    await this.#passes.claim(ids);
    return await this.#engine.flow(ids, options);
  }

  async ask<Name extends keyof Questions>(
    name: Name,
    argument: Questions[Name]["argument"],
  ): Promise<Questions[Name]["result"]> {
    await this.#passes.claim(argument.ids);
    return await this.#engine.ask(name, argument);
  }

  cacheStats(): Promise<CacheStats> {
    return this.#engine.cacheStats();
  }
}
