import { InfoflowError } from "../../errors.ts";

/** The error of a request whose caller no longer waits. */
export function cancelled(): InfoflowError {
  return new InfoflowError("CANCELLED", "No caller waits for the answer any more");
}
