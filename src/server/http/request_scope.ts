import type { Caller } from "../queue/caller.ts";
import type { TimedResult } from "../queue/timed_result.ts";
import { ByteBudget } from "../queue/byte_budget.ts";
import type { BytesInFlight } from "../queue/bytes_in_flight.ts";
import { PromptBudget } from "../queue/prompt_budget.ts";
import { type EngineRequest, idsOf } from "../../requests/engine_request.ts";
import { InfoflowError } from "../../errors.ts";
import { addSpan } from "../observe/trace.ts";

/** The limits of a request. */
export interface RequestLimits {
  /** The most different prompts. */
  readonly passes: number;
  /** How long it may take, in ms. */
  readonly deadline: number;
  /** The most bytes of Arrow in its answer, over all fields of a query. */
  readonly answerBytes: number;
}

const ANSWERED = new InfoflowError("CANCELLED", "The request is answered");

/** A request to the server: its deadline, its signal, its budgets, and its costs. */
export class RequestScope implements Caller {
  readonly budget: PromptBudget;
  readonly seconds: number;
  readonly bytes: ByteBudget;
  /** Its id in the log. */
  readonly id = crypto.randomUUID().slice(0, 13);
  /** Its operation, one of a short fixed list. */
  operation = "other";
  /** Its error code, if it failed. */
  code: string | undefined;
  /** The calls to the engine that were answered for it so far. */
  readonly calls: { readonly work: EngineRequest; readonly answer: TimedResult }[] = [];
  /** When its deadline is, in ms since 1970. */
  readonly endsAt: number;
  readonly #since = performance.now();
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(
    request: Request,
    { passes, deadline, answerBytes }: RequestLimits,
    inFlight: BytesInFlight,
  ) {
    this.budget = new PromptBudget(passes);
    this.seconds = deadline / 1000;
    this.bytes = new ByteBudget(answerBytes, inFlight);
    this.endsAt = performance.timeOrigin + performance.now() + deadline;
    this.#client = request.signal;
    this.#client.addEventListener("abort", this.#leave);
    this.#timer = setTimeout(() => this.#controller.abort(tooLate(deadline)), deadline);
    if (this.#client.aborted) this.#leave();
  }

  /** How long it has taken, in ms. */
  get took(): number {
    return performance.now() - this.#since;
  }

  readonly note = (work: EngineRequest, answer: TimedResult): void => {
    this.calls.push({ work, answer });
    const { result: { cacheHit }, since, began, worked } = answer;
    // An answer without a time of submission counts as submitted at once.
    const submitted = Math.max(began, answer.submitted);
    const read = answer.read > began ? answer.read : began + worked;
    addSpan("queue", { from: since, to: began });
    addSpan("prepare", { from: began, to: submitted });
    addSpan("device and readback", { from: submitted, to: read }, {
      "infoflow.tokens": idsOf(work).length,
      "infoflow.cache_hit": cacheHit,
    });
  };

  /** Aborted, with an {@linkcode InfoflowError}, when no client waits for the answer any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Waits for a promise as long as the client waits for the answer.
   *
   * @throws {InfoflowError} DEADLINE_EXCEEDED; CANCELLED if the client went away.
   */
  async within<T>(work: Promise<T>): Promise<T> {
    const { signal } = this;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const give = (): void => reject(signal.reason);
    signal.addEventListener("abort", give, { once: true });
    try {
      signal.throwIfAborted();
      return await Promise.race([work, aborted]);
    } finally {
      signal.removeEventListener("abort", give);
      work.catch(() => {}); // the client is gone: an error would be unhandled
    }
  }

  /** Call this when the answer is complete or refused; it cancels the request's remaining work. */
  end(): void {
    clearTimeout(this.#timer);
    this.#client.removeEventListener("abort", this.#leave);
    this.#controller.abort(ANSWERED);
  }

  readonly #leave = (): void => {
    this.#controller.abort(new InfoflowError("CANCELLED", "The client went away"));
  };
}

function tooLate(deadline: number): InfoflowError {
  return new InfoflowError(
    "DEADLINE_EXCEEDED",
    `Cannot answer within ${deadline / 1000} seconds: ask again, or with a shorter prompt`,
    { deadline },
  );
}
