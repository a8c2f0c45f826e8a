import type { Work } from "../../requests/engine_request.ts";
import type { Answer } from "./answer.ts";
import type { Priority } from "./priority.ts";
import type { ByteBudget } from "./byte_budget.ts";
import type { PromptBudget } from "./prompt_budget.ts";

/** On whose behalf a model is asked: until when, how much it may cost, and who is told what it did cost. */
export interface Caller {
  /** Aborted when the client no longer waits for the answer. */
  readonly signal?: AbortSignal;
  /** When the caller gives up, in ms since 1970; never without it. */
  readonly endsAt?: number;
  /** How long the request may take, in seconds; as long as it likes without it. */
  readonly seconds?: number;
  /** The prompts that the request may have computed; as many as it likes without it. */
  readonly budget?: PromptBudget;
  /** The bytes that its answer may have; as many as it likes without it. */
  readonly bytes?: ByteBudget;
  /** `interactive` without it. */
  readonly priority?: Priority;
  /** Told of each answer. */
  readonly note?: (work: Work, answer: Answer) => void;
}

/** A caller without limits. */
export const ANYBODY: Caller = {};
