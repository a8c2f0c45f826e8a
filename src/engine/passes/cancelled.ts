import { InfoflowError } from "../../errors.ts";

/** Why nothing was computed for a caller who is gone. */
export function cancelled(): InfoflowError {
  return new InfoflowError("CANCELLED", "Nobody waits for the answer any more");
}
