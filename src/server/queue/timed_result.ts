import type { EngineResult } from "../../requests/engine_request.ts";

/** The result of a request to the engine, and what it cost. */
export interface TimedResult {
  readonly result: EngineResult;
  /** How long it waited for the engine, in ms. */
  readonly waited: number;
  /** How long the engine worked on it and on what it answered together with it, in ms. */
  readonly worked: number;
  /** When it was asked for and when the engine turned to it, in ms since 1970. */
  readonly since: number;
  readonly began: number;
  /** When its commands were last submitted to the device, and when its result was read back. */
  readonly submitted: number;
  readonly read: number;
}
