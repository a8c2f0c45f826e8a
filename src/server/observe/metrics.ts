import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { EngineStats } from "../queue/engine_worker.ts";
import { VERSION } from "../../version.ts";

/** The outcome of a request. Both labels are from fixed lists. */
export interface RequestFacts {
  readonly operation: string;
  readonly code: string;
  /** How long it took, in ms. */
  readonly took: number;
  readonly calls: readonly CallFacts[];
}

/** Facts about one computation for a request. */
export interface CallFacts {
  readonly tokens: number;
  readonly cacheHit: boolean;
  /** In ms. */
  readonly waited: number;
  readonly worked: number;
}

/** Gauges of the server beside its engines'. */
export interface ServerGauges {
  readonly answerBytes: () => number;
  readonly openRequests: () => number;
  readonly droppedLines: () => number;
}

/** Bounds of histograms, in seconds: a cached matrix takes a ms, a long prompt on a slow device a minute. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The metrics of `/metrics`, in Prometheus' text format. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<"operation" | "code">;
  readonly #seconds: Histogram<"operation">;
  readonly #waited: Histogram;
  readonly #forward: Histogram;
  readonly #reduce: Histogram;
  readonly #tokens: Counter<"computed">;

  /** @param stats The loaded engines by their models' names. */
  constructor(stats: () => ReadonlyMap<string, EngineStats>, server: ServerGauges) {
    const registers = [this.#registry];
    const histogram = (name: string, help: string): Histogram =>
      new Histogram({ name, help, buckets: BUCKETS, registers });
    this.#requests = new Counter({
      name: "infoflow_requests_total",
      help: "Requests by what they asked and how they ended",
      labelNames: ["operation", "code"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "infoflow_request_seconds",
      help: "How long requests took, from their head to the end of the answer's making",
      labelNames: ["operation"],
      buckets: BUCKETS,
      registers,
    });
    this.#waited = histogram(
      "infoflow_queue_wait_seconds",
      "How long requests waited for the device",
    );
    this.#forward = histogram(
      "infoflow_forward_seconds",
      "How long the device took for forward passes and their reductions",
    );
    this.#reduce = histogram(
      "infoflow_reduce_seconds",
      "How long the device took for reductions of cached patterns alone",
    );
    this.#tokens = new Counter({
      name: "infoflow_tokens_total",
      help: "Tokens of answered prompts, by whether a pass was run for them",
      labelNames: ["computed"],
      registers,
    });
    this.#serverGauges(server);
    this.#gauges(stats);
    new Gauge({
      name: "infoflow_info",
      help: "1, with the version",
      labelNames: ["version"],
      registers,
    }).set({ version: VERSION }, 1);
  }

  /** Counts a request. */
  record({ operation, code, took, calls }: RequestFacts): void {
    this.#requests.inc({ operation, code });
    this.#seconds.observe({ operation }, took / 1000);
    for (const { tokens, cacheHit, waited, worked } of calls) {
      this.#waited.observe(waited / 1000);
      (cacheHit ? this.#reduce : this.#forward).observe(worked / 1000);
      this.#tokens.inc({ computed: String(!cacheHit) }, tokens);
    }
  }

  /** All of it, as Prometheus reads it. */
  async text(): Promise<{ readonly type: string; readonly body: string }> {
    return { type: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  #serverGauges({ answerBytes, openRequests, droppedLines }: ServerGauges): void {
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect() {
          this.set(read());
        },
      });
    };
    gauge("infoflow_answer_bytes", "Bytes of answers that are being made or read", answerBytes);
    gauge("infoflow_log_lines_dropped", "Lines of the log that were dropped", droppedLines);
    gauge(
      "infoflow_open_requests",
      "Requests whose answers are not sent, this one among them",
      openRequests,
    );
  }

  #gauges(stats: () => ReadonlyMap<string, EngineStats>): void {
    const gauge = (name: string, help: string, read: (stats: EngineStats) => number): void => {
      new Gauge({
        name,
        help,
        labelNames: ["model"],
        registers: [this.#registry],
        collect() {
          for (const [model, one] of stats()) this.set({ model }, read(one));
        },
      });
    };
    gauge("infoflow_ready", "Whether a model is on the device", ({ isReady }) => Number(isReady));
    gauge(
      "infoflow_queue_length",
      "Requests that wait for the device",
      ({ queue }) => queue.waiting,
    );
    gauge(
      "infoflow_worker_requests",
      "Requests at the worker, begun or not",
      ({ queue }) => queue.atWorker,
    );
    gauge("infoflow_queue_limit", "Requests that may wait", ({ queue }) => queue.limit);
    gauge("infoflow_cache_bytes", "Bytes of kept patterns", ({ cache }) => cache.bytes);
    gauge("infoflow_cache_budget_bytes", "Bytes that they may take", ({ cache }) => cache.budget);
    gauge("infoflow_cache_entries", "Prompts that are kept", ({ cache }) => cache.entries);
    gauge(
      "infoflow_cache_hits",
      "Questions answered from the cache since the worker started",
      ({ cache }) => cache.hits,
    );
    gauge(
      "infoflow_cache_misses",
      "Questions that ran the model since the worker started",
      ({ cache }) => cache.misses,
    );
    gauge(
      "infoflow_cache_evictions",
      "Prompts given up since the worker started",
      ({ cache }) => cache.evictions,
    );
    gauge(
      "infoflow_worker_restarts",
      "Times that another worker took over",
      ({ restarts }) => restarts,
    );
    gauge(
      "infoflow_device_bytes",
      "Bytes of buffers and textures on the device, as counted here",
      ({ deviceBytes }) => deviceBytes,
    );
    new Gauge({
      name: "infoflow_resident_bytes",
      help: "Memory of the process",
      registers: [this.#registry],
      collect() {
        this.set(Deno.memoryUsage().rss);
      },
    });
  }
}
