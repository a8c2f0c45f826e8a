import type { LoadedModel } from "../answers/loaded_model.ts";
import { type AppOptions, makeApp } from "../http/app.ts";
import { type LoadedModels, loadModels, type LoadOptions } from "./load_models.ts";
import { type Log, makeLog } from "../observe/log.ts";
import type { EngineWorker } from "../queue/engine_worker.ts";

/** Options of a server. */
export interface ServerOptions
  extends Pick<AppOptions, "publicUrl" | "policy" | "lines" | "corpus"> {
  /** The models, or how to load them. */
  readonly models: Omit<LoadOptions, "onNews"> | Promise<LoadedModels>;
  /** Writes a line where operators look. */
  readonly writeLine: (line: string) => void;
  /** How many lines were dropped because their reader did not take them. */
  readonly droppedLines?: () => number;
}

/**
 * A server with its models, queue, limits and log. Tests and `deno task serve` make it in the same way.
 *
 * It does not listen: requests are given to {@linkcode fetch}. Until {@linkcode load} is done they get an error that
 * the models are being loaded.
 */
export class InfoflowServer {
  readonly log: Log;
  readonly #options: ServerOptions;
  readonly #app: ReturnType<typeof makeApp>;
  #loaded: LoadedModels | undefined;
  #isDraining = false;

  constructor(options: ServerOptions) {
    const { publicUrl, policy, lines, corpus, writeLine } = options;
    this.#options = options;
    this.log = makeLog(lines?.format ?? "text", writeLine);
    this.#app = makeApp({
      models: () => this.models,
      publicUrl,
      policy,
      lines,
      corpus,
      log: this.log,
      droppedLines: options.droppedLines,
      isDraining: () => this.#isDraining,
    });
  }

  /** The models, the default one first; none while they are being loaded. */
  get models(): readonly LoadedModel[] {
    return this.#loaded?.models ?? [];
  }

  /** The thread that the models run in, once they are loaded. */
  get worker(): EngineWorker | undefined {
    return this.#loaded?.worker;
  }

  /** Whether it is about to stop, and takes nothing new. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Answers a request. */
  async fetch(request: Request): Promise<Response> {
    return await this.#app(request);
  }

  /**
   * Loads the models, or waits for them.
   *
   * @throws {Error} If there is no such model, or it can't be run.
   */
  async load(): Promise<readonly LoadedModel[]> {
    const onNews = (news: string): void => this.log.write("engine", { news });
    const { models } = this.#options;
    this.#loaded = await ("then" in models ? models : loadModels({ ...models, onNews }));
    return this.models;
  }

  /** Refuses new requests from now on. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Ends the models' thread; open requests fail with CANCELLED. See {@linkcode EngineWorker.close}. */
  async close(): Promise<void> {
    this.#loaded?.helper.close();
    await this.worker?.close();
  }
}
