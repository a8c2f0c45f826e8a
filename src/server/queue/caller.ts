import type { EngineRequest } from "../../requests/engine_request.ts";
import type { TimedResult } from "./timed_result.ts";
import type { Priority } from "./priority.ts";
import type { ByteBudget } from "./byte_budget.ts";
import type { PromptBudget } from "./prompt_budget.ts";

/** The caller of a model: its signal, its deadline and its budgets. */
export interface Caller {
  /** Aborted when the client no longer waits for the answer. */
  readonly signal?: AbortSignal;
  /** The caller's deadline, in ms since 1970; by default none. */
  readonly endsAt?: number;
  /** How long the request may take, in seconds; by default without limit. */
  readonly seconds?: number;
  /** The budget of prompts; by default without limit. */
  readonly budget?: PromptBudget;
  /** The budget of bytes; by default without limit. */
  readonly bytes?: ByteBudget;
  /** By default `interactive`. */
  readonly priority?: Priority;
  /** Called with each answer. */
  readonly note?: (work: EngineRequest, answer: TimedResult) => void;
}

/** A caller without limits. */
export const ANYBODY: Caller = {};
