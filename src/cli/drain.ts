import type { EngineWorker } from "../server/queue/engine_worker.ts";
import type { Log } from "../server/observe/log.ts";

/** Requests under way may take so long, in ms, their refusals so long, the device so long to be given back: below ten s. */
const FINISH_MS = 7000;
const LAST_WORDS_MS = 500;
const GIVE_BACK_MS = 1500;
/** Signals within so many ms of each other are one. */
const SAME_MS = 500;

/** The end of a server: what is under way is finished, nothing new is taken, the device is given back. */
export class Drain {
  readonly #log: Log;
  readonly #engine: () => EngineWorker | undefined;
  #isDraining = false;
  #since = 0;

  /** @param engine The engine, once it is there. */
  constructor(log: Log, engine: () => EngineWorker | undefined) {
    this.#log = log;
    this.#engine = engine;
  }

  /** Whether the server is about to stop. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Stops the process in an orderly way at SIGTERM and SIGINT, and at once at the second of them. */
  onSignals(server: Deno.HttpServer): void {
    const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGTERM", "SIGINT"];
    for (const signal of signals) {
      Deno.addSignalListener(signal, () => {
        // A terminal sends SIGINT to all processes of a command, and those above pass it on: that is one signal.
        if (!this.#isDraining) this.#stop(signal, server);
        else if (performance.now() - this.#since > SAME_MS) Deno.exit(1);
      });
    }
  }

  async #stop(signal: string, server: Deno.HttpServer): Promise<void> {
    this.#isDraining = true;
    this.#since = performance.now();
    this.#log.write("server", {
      news: `stopping at ${signal}, when what is under way is finished`,
    });
    const shutdown = server.shutdown();
    const isFinished = await within(shutdown, FINISH_MS);
    const engine = this.#engine();
    if (!isFinished) {
      engine?.cancel();
      await within(shutdown, LAST_WORDS_MS);
    }
    const isGivenBack = engine === undefined || await within(engine.stop(), GIVE_BACK_MS);
    this.#log.write("server", { news: "stopped", isFinished, isGivenBack });
    // The worker lives until the process ends: see WorkerThread.close.
    Deno.exit(0);
  }
}

/** Whether something is done in time, one way or another. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true, () => true), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
