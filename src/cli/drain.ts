import type { Listener } from "../server/http/listen.ts";
import type { InfoflowServer } from "../server/serving/server.ts";

/** Limits in ms for requests under way, for their refusals, and for releasing the device: below ten s together. */
const FINISH_MS = 7000;
const LAST_WORDS_MS = 500;
const GIVE_BACK_MS = 1500;
const FLUSH_MS = 300;
/** Signals within this many ms of each other count as one. */
const SAME_MS = 500;

/** The signals that end a server; SIGHUP is sent when its terminal is closed. */
export const STOP_SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows"
  ? ["SIGINT"]
  : ["SIGTERM", "SIGINT", "SIGHUP"];

/** The end of a server: what is under way is finished, nothing new is taken, the device is given back. */
export class Drain {
  readonly #server: InfoflowServer;
  readonly #listener: Listener;
  readonly #flush: (ms: number) => Promise<void>;
  #since = 0;

  /** @param flush Has the log's last lines written, if they are taken within some ms. */
  constructor(
    server: InfoflowServer,
    listener: Listener,
    flush: (ms: number) => Promise<void> = () => Promise.resolve(),
  ) {
    this.#server = server;
    this.#listener = listener;
    this.#flush = flush;
  }

  /** Stops the process in an orderly way at each of {@linkcode STOP_SIGNALS}, and at once at the second of them. */
  onSignals(): void {
    for (const signal of STOP_SIGNALS) {
      Deno.addSignalListener(signal, () => {
        // A terminal sends SIGINT to all processes of a command, and those above pass it on: that is one signal.
        if (!this.#server.isDraining) this.#stop(signal);
        else if (performance.now() - this.#since > SAME_MS) Deno.exit(1);
      });
    }
  }

  /** Stops the process in the same way when standard input ends: the program that started it has gone. */
  async onEndOfStdin(): Promise<void> {
    await Deno.stdin.readable.pipeTo(new WritableStream()).catch(() => {});
    if (!this.#server.isDraining) this.#stop("the end of standard input");
  }

  async #stop(signal: string): Promise<void> {
    const { worker, log } = this.#server;
    this.#server.drain();
    this.#since = performance.now();
    log.write("server", {
      news: `stopping at ${signal}, when what is under way is finished`,
    });
    const shutdown = this.#listener.shutdown();
    const isFinished = await within(shutdown, FINISH_MS);
    if (!isFinished) {
      worker?.cancel();
      await within(shutdown, LAST_WORDS_MS);
    }
    const isGivenBack = worker === undefined || await within(worker.stop(), GIVE_BACK_MS);
    log.write("server", { news: "stopped", isFinished, isGivenBack });
    await this.#flush(FLUSH_MS);
    // The worker lives until the process ends: see WorkerThread.close.
    Deno.exit(0);
  }
}

/** Whether something ends in time, by an error or not. */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    return await Promise.race([work.then(() => true, () => true), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
