import type { MatrixOptions } from "../../requests/flow_options.ts";
import type { CacheStats } from "../../engine/activations/cache.ts";
import type { Questions } from "../../requests/questions.ts";
import type { EngineInfo } from "../../engine/engine.ts";
import type { FlowResult } from "../../requests/flow_options.ts";
import type { Asker, EngineStats, EngineWorker } from "./engine_worker.ts";
import type { PassBudget } from "./prompt_budget.ts";
import { passKey } from "../../requests/engine_request.ts";

/** What requests may do with an engine. */
export type ModelEngine = Pick<
  EngineWorker,
  "info" | "isReady" | "stats" | "isWorking" | "admit" | "flow" | "ask" | "cacheStats"
>;

/** An engine as one request sees it: what it asks for counts as that request's, and ends with it. */
export class RequestEngine implements ModelEngine {
  readonly #engine: ModelEngine;
  readonly #asker: Asker & { readonly passes: PassBudget };

  constructor(engine: ModelEngine, asker: Asker & { readonly passes: PassBudget }) {
    this.#engine = engine;
    this.#asker = asker;
  }

  get info(): EngineInfo {
    return this.#engine.info;
  }

  get isReady(): boolean {
    return this.#engine.isReady;
  }

  get stats(): EngineStats {
    return this.#engine.stats;
  }

  isWorking(): Promise<boolean> {
    return this.#engine.isWorking();
  }

  admit(): void {
    this.#engine.admit();
  }

  async flow(ids: readonly number[], options: MatrixOptions): Promise<FlowResult> {
    await this.#claim(passKey({ ids, options }));
    return await this.#engine.flow(ids, options, this.#asker);
  }

  async ask<Name extends keyof Questions>(
    name: Name,
    argument: Questions[Name]["argument"],
  ): Promise<Questions[Name]["result"]> {
    const { ids } = argument;
    const ablate = "ablate" in argument ? argument.ablate : undefined;
    await this.#claim(passKey({ name: "nextTokens", argument: { ids, k: 0, ablate } }));
    return await this.#engine.ask(name, argument, this.#asker);
  }

  cacheStats(): Promise<CacheStats> {
    return this.#engine.cacheStats();
  }

  /** Passes of several models are several passes. */
  #claim(key: string): Promise<void> {
    return this.#asker.passes.claim(`${this.info.fingerprint}/${key}`);
  }
}
