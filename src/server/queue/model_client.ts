import type { CacheStats } from "../../engine/activations/cache.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import type { EngineInfo } from "../../engine/engine_info.ts";
import {
  type EngineRequest,
  type EngineResult,
  isQuestion,
  passKeys,
} from "../../requests/engine_request.ts";
import type { FlowResult, MatrixOptions } from "../../requests/flow_options.ts";
import { InfoflowError } from "../../errors.ts";
import { allFinite } from "../../requests/interventions/all_finite.ts";
import { isChanged } from "../../requests/interventions/changes_in.ts";
import { ANYBODY, type Caller } from "./caller.ts";
import type { EngineStats, EngineWorker } from "./engine_worker.ts";

/**
 * One of a worker's models, for one request: its calls count against the request's budgets and are cancelled with it.
 * All models share the device, the queue, the cache and their counters.
 */
export class ModelClient {
  readonly #worker: EngineWorker;
  readonly #model: number;
  readonly #caller: Caller;

  /**
   * @param model Its index among the worker's models.
   * @param caller The request, whose signal and budgets are read at each call.
   */
  constructor(worker: EngineWorker, model: number, caller: Caller = ANYBODY) {
    this.#worker = worker;
    this.#model = model;
    this.#caller = caller;
  }

  /** The same model, asked on behalf of another request. */
  for(caller: Caller): ModelClient {
    return new ModelClient(this.#worker, this.#model, caller);
  }

  /** How long the request may take, in seconds. */
  get seconds(): number {
    return this.#caller.seconds ?? Infinity;
  }

  /** What runs, and on what. */
  get info(): EngineInfo {
    return this.#worker.infos[this.#model]!;
  }

  /** Whether the model is on a device. */
  get isReady(): boolean {
    return this.#worker.isReady;
  }

  /** How the worker is doing. */
  get stats(): EngineStats {
    return this.#worker.stats;
  }

  /** What the worker does, see {@linkcode EngineWorker.health}. */
  health(): ReturnType<EngineWorker["health"]> {
    return this.#worker.health();
  }

  /**
   * Refuses if there is no room for another request. Called before work that a refusal would make useless, such as
   * reading a prompt.
   *
   * @throws {InfoflowError} OVERLOADED, with `retryAfter` in seconds.
   */
  admit(): void {
    this.#worker.admit(this.#caller.priority);
  }

  /**
   * Computes a matrix, see {@linkcode Engine.flow}.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE; OVERLOADED; BAD_USER_INPUT if the request's budget of prompts is spent;
   *   DEVICE_LOST if the device or the worker went away meanwhile.
   * @throws What the caller's signal was aborted with, as soon as it is.
   */
  async flow(ids: readonly number[], options: MatrixOptions): Promise<FlowResult> {
    return await this.#answer({ ids, options, model: this.#model }) as FlowResult;
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
    return await this.#answer({ name, argument, model: this.#model }) as Questions[Name]["result"];
  }

  /**
   * Counts a part of the caller's answer, see {@linkcode ByteBudget.claim}.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE; OVERLOADED.
   */
  async claimBytes(bytes: number): Promise<void> {
    await this.#caller.bytes?.claim(bytes);
  }

  /** The counters of the pattern cache. */
  cacheStats(): Promise<CacheStats> {
    return this.#worker.cacheStats();
  }

  async #answer(work: EngineRequest): Promise<EngineResult> {
    const { budget, note } = this.#caller;
    await Promise.all(passKeys(work).map((key) => budget?.claim(key)));
    const answer = await this.#worker.submit(work, this.#caller);
    note?.(work, answer);
    if (isChangedWork(work) && !allFinite(answer.result)) throw overflown();
    return answer.result;
  }
}

/** Whether a run is changed: then its numbers may be anything; those of the unchanged model are finite. */
function isChangedWork(work: EngineRequest): boolean {
  return isChanged(isQuestion(work) ? work.argument : work.options);
}

function overflown(): InfoflowError {
  return new InfoflowError(
    "BAD_USER_INPUT",
    "Cannot answer as the interventions take the model beyond what float32 can hold: use smaller factors or vectors",
  );
}
