/** The codes that clients see, in GraphQL's `extensions.code` and in problem+json. */
export type ErrorCode =
  | "PROMPT_EMPTY"
  | "PROMPT_TOO_LONG"
  | "MATRIX_TOO_LARGE"
  | "BAD_USER_INPUT"
  | "OVERLOADED"
  | "DEADLINE_EXCEEDED"
  | "DEVICE_LOST"
  | "CANCELLED"
  | "UNAUTHORIZED"
  | "FORBIDDEN"
  | "METHOD_NOT_ALLOWED"
  | "BODY_TOO_LARGE"
  | "URL_TOO_LONG"
  | "HEADERS_TOO_LARGE"
  | "DISK_FULL";

/**
 * An error that is meant for the caller: it has a code, a text that says what to do, and numbers to act on.
 * Any other error is a defect of the server and is masked before it leaves it.
 */
export class InfoflowError extends Error {
  override readonly name = "InfoflowError";

  /**
   * @param code What programs decide by.
   * @param message What people read.
   * @param details Further members beside the code, such as `tokens` and `limit`.
   */
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, number | string>> = {},
  ) {
    super(message);
  }
}

/** An error as the caller is to see it: work that stopped because its client went away was cancelled. */
export function asMeant(error: unknown): unknown {
  const isAbort = error instanceof DOMException && error.name === "AbortError";
  return isAbort ? new InfoflowError("CANCELLED", "The client went away") : error;
}
