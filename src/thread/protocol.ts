import { type ErrorCode, InfoflowError } from "../errors.ts";
import type { CacheUse } from "../engine/activations/cache_use.ts";
import type { CacheStats } from "../engine/activations/cache.ts";
import type { EngineInfo } from "../engine/engine_info.ts";
import type { WeightType } from "../requests/weight_type.ts";
import type { AdapterChoice } from "../engine/gpu/find_adapter.ts";
import type { SaeDirectory } from "./open_saes.ts";
import type { TuningFile } from "./tuning_file.ts";
import type { EngineRequest, EngineResult } from "../requests/engine_request.ts";

/** How a worker is to make its engines. */
export interface StartOptions {
  /** Where each model's `config.json` and `model.safetensors` are. */
  readonly directories: readonly string[];
  /** Bytes that cached patterns may take. */
  readonly cacheBytes: number;
  readonly tuning?: TuningFile | undefined;
  /** How the weights of linears are kept on the device. */
  readonly weightType?: WeightType | undefined;
  /** The file of models' fingerprints. */
  readonly fingerprintsFile?: string | undefined;
  /** The autoencoders of each model. */
  readonly saes?: readonly (readonly SaeDirectory[])[] | undefined;
  /** Bytes that each model's autoencoders may take on the device. */
  readonly saeBytes?: number | undefined;
  /** Which adapter is opened. */
  readonly adapter?: AdapterChoice | undefined;
}

/** Requests to one model that are answered together: matrices, or questions of one name. */
export interface Batch {
  readonly requests: readonly SentRequest[];
  /** How the cache is used for the activations that are computed; `keep` by default. */
  readonly cache?: CacheUse | undefined;
}

/** A request, and its slot among the {@linkcode CancelFlags}. */
export interface SentRequest {
  readonly work: EngineRequest;
  readonly slot: number;
}

/** The outcome of a batch. */
export interface BatchResult {
  /** In the order of the requests. */
  readonly outcomes: readonly SentOutcome[];
  /** When the engine turned to them and when it was done, in ms since 1970. */
  readonly began: number;
  readonly ended: number;
  /** When the last submission was made, and when its result was read back. */
  readonly submitted: number;
  readonly read: number;
  readonly memory: MemoryStats;
}

/** The memory in use on the device. */
export interface MemoryStats {
  readonly cache: CacheStats;
  /** Bytes of buffers and textures, as far as they are counted. */
  readonly deviceBytes: number;
}

/** The outcome of a request. */
export type SentOutcome = { readonly value: EngineResult } | { readonly error: SentError };

/** The calls that the engine's worker answers. */
export interface Calls {
  start: { argument: StartOptions & { flags: SharedArrayBuffer }; result: readonly EngineInfo[] };
  answer: { argument: Batch; result: BatchResult };
  cacheStats: { argument: null; result: CacheStats };
  /** A pass over one token, of which no activations are kept. */
  probe: { argument: null; result: MemoryStats };
  /** How long a pass takes of which no activations are kept, in ms. */
  timePass: { argument: { readonly model: number; readonly tokens: number }; result: number };
  /** Gives the device back. */
  stop: { argument: null; result: null };
}

/** A call on its way to the worker. */
export type Request = {
  [Name in keyof Calls]: {
    readonly id: number;
    readonly call: Name;
    readonly argument: Calls[Name]["argument"];
  };
}[keyof Calls];

/** Messages from the worker: answers to calls, and events. */
export type Reply =
  | { readonly id: number; readonly result: Calls[keyof Calls]["result"] }
  | { readonly id: number; readonly error: SentError }
  | { readonly progress: readonly [done: number, total: number, model: number] }
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
