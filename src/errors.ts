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

/**
 * An error as the caller is to see it: work that stopped because its client went away was cancelled, and so was a body
 * that ended in the middle.
 */
export function asMeant(error: unknown): unknown {
  const isAbort = error instanceof DOMException && error.name === "AbortError";
  const isReset = error instanceof Error && "code" in error && error.code === "ECONNRESET";
  return isAbort || isReset ? new InfoflowError("CANCELLED", "The client went away") : error;
}

/** The most characters of a value that are shown in an error. */
const MOST_SHOWN = 200;

/** A value of an untrusted file as an error shows it: its JSON, or the beginning of that. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}…`;
}

/**
 * Reads something of an untrusted file. Where a value has another type than the code takes for granted, the file is to
 * blame.
 *
 * @throws {SyntaxError} In place of a TypeError.
 */
export function inShape<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new SyntaxError(
      `Cannot read ${name} as each value must have its type: ${cause.message}`,
      { cause },
    );
  }
}
