import { type ErrorCode, InfoflowError } from "../errors.ts";
import type { MatrixOptions } from "../flow/definitions.ts";
import type { Question, Questions } from "../questions/question.ts";
import type { CacheStats } from "../patterns/cache.ts";
import type { EngineInfo, FlowResult } from "./engine.ts";
import type { TuningOptions } from "./tuning.ts";

/** How a worker is to make its engine. */
export interface StartOptions {
  /** Where `config.json` and `model.safetensors` are. */
  readonly directory: string;
  /** Bytes that cached patterns may take. */
  readonly cacheBytes: number;
  readonly tuning?: TuningOptions | undefined;
}

/** What the engine's worker can be asked to do. */
export interface Calls {
  start: { argument: StartOptions; result: EngineInfo };
  ask: { argument: Question; result: Questions[keyof Questions]["result"] };
  flow: { argument: { ids: readonly number[]; options: MatrixOptions }; result: FlowResult };
  cacheStats: { argument: null; result: CacheStats };
}

/** A call on its way to the worker. */
export type Request = {
  [Name in keyof Calls]: {
    readonly id: number;
    readonly call: Name;
    readonly argument: Calls[Name]["argument"];
  };
}[keyof Calls];

/** What comes back from the worker: answers to calls, and news. */
export type Reply =
  | { readonly id: number; readonly result: Calls[keyof Calls]["result"] }
  | { readonly id: number; readonly error: SentError }
  | { readonly progress: readonly [done: number, total: number] }
  | { readonly lost: string };

/** An error as it crosses between threads, which keep no classes. */
export interface SentError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly details: InfoflowError["details"];
}

/** Takes an error apart. */
export function sendError(error: unknown): SentError {
  if (error instanceof InfoflowError) {
    const { code, message, details } = error;
    return { code, message, details };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: undefined, message, details: {} };
}

/** Puts an error together again. */
export function receiveError({ code, message, details }: SentError): Error {
  return code ? new InfoflowError(code, message, details) : new Error(message);
}
