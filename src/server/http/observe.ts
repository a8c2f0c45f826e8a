import { logError } from "../observe/log_error.ts";
import { type EngineRequest, idsOf } from "../../requests/engine_request.ts";
import { asMeant, InfoflowError } from "../../errors.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics.ts";
import { maskedProblem, problem } from "./problem.ts";
import { type RequestLimits, RequestScope } from "./request_scope.ts";
import type { BytesInFlight } from "../queue/bytes_in_flight.ts";
import { whenSent } from "./when_sent.ts";

/** The request's context for handlers. */
export type Env = { Bindings: { scope: RequestScope }; Variables: { scope: RequestScope } };

/** The number of requests whose answers are not sent yet. */
export interface OpenRequests {
  open: number;
}

/** The log and metrics of requests. */
export interface ObserveOptions {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly inFlight: BytesInFlight;
  /** The text of a prompt, by the tokenizer of its model. */
  readonly promptOf: (work: EngineRequest) => string;
  readonly open: OpenRequests;
  /** Whether each request gets a line. */
  readonly requests: boolean;
  /** Whether the line has the prompts. */
  readonly prompts: boolean;
}

/** Answers a request in its scope. */
export type ScopedHandler = (request: Request, scope: RequestScope) => Promise<Response>;

/**
 * Gives each request its scope, an answer by its deadline, a line in the log and its metrics. It is outside the app,
 * not one of its middlewares, so that a late result of a cancelled request can't become its answer.
 */
export function observe(
  limits: RequestLimits,
  options: ObserveOptions,
  handler: ScopedHandler,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const scope = new RequestScope(request, limits, options.inFlight);
    options.open.open++;
    let response: Response;
    try {
      response = await scope.within(handler(request, scope));
    } catch (error) {
      response = answerTo(error, { path: new URL(request.url).pathname, scope }, options.log);
    }
    const { status } = response;
    const code = scope.code ?? (status >= 400 ? `HTTP_${status}` : "OK");
    record(scope, { status, code }, options);
    scope.end();
    return whenSent(response, () => {
      scope.bytes.release();
      options.open.open--;
    });
  };
}

/** Answers with an error: an error with a code as it is, any other as an id that the log has too. */
export function answerTo(
  thrown: unknown,
  { path, scope }: { readonly path: string; readonly scope: RequestScope },
  log: Log,
): Response {
  const error = asMeant(thrown);
  if (error instanceof InfoflowError) {
    scope.code = error.code;
    return problem(error, path);
  }
  scope.code = "INTERNAL_SERVER_ERROR";
  return maskedProblem(logError(error, log), path);
}

function record(
  scope: RequestScope,
  { status, code }: { status: number; code: string },
  { log, metrics, requests, prompts, promptOf }: ObserveOptions,
): void {
  const { id, operation, took } = scope;
  const calls = scope.calls.map(({ work, answer: { result: { cacheHit }, waited, worked } }) => {
    return { tokens: idsOf(work).length, cacheHit, waited, worked };
  });
  metrics.record({ operation, code, took, calls });
  if (!requests || operation === "health") return;
  const sum = (of: (call: typeof calls[number]) => number): number =>
    Math.round(100 * calls.reduce((total, call) => total + of(call), 0)) / 100;
  log.write("request", {
    id,
    operation,
    status,
    code,
    ms: Math.round(100 * took) / 100,
    ...(calls.length > 0 && {
      tokens: sum(({ tokens }) => tokens),
      cacheHit: calls.every(({ cacheHit }) => cacheHit),
      queueMs: sum(({ waited }) => waited),
      gpuMs: sum(({ worked }) => worked),
    }),
    ...(prompts &&
      { prompt: scope.calls.map(({ work }) => promptOf(work)).join(" | ") }),
  });
}
