import { type EngineRequest, isQuestion } from "../../requests/engine_request.ts";
import { methodOf } from "../../requests/flow_options.ts";
import { isChanged } from "../../requests/interventions/changes_in.ts";

/** The kind of a request: matrices are answered together, and so are questions of one name. */
export function nameOf(work: EngineRequest): string {
  return isQuestion(work) ? work.name : "matrix";
}

/** Whether it is a flow that takes one pass at most, which it can share. */
export function isPlain(work: EngineRequest): boolean {
  return !isQuestion(work) && methodOf(work.options) === "ATTENTION" && !isChanged(work.options);
}

/** Whether the engine itself refuses it if it would take too long. */
export function hasOwnLimit(work: EngineRequest): boolean {
  return isQuestion(work) && "limit" in work.argument;
}
