import { InfoflowError } from "../../errors.ts";

/** The error for an invalid intervention; `which` is its index in the list. */
export function refusal(
  which: number,
  reason: string,
  details: Readonly<Record<string, number | string>> = {},
): InfoflowError {
  const message = `Cannot apply interventions[${which}] as ${reason}`;
  return new InfoflowError("BAD_USER_INPUT", message, { intervention: which, ...details });
}
