/** Why there is no answer, in the terms that the page acts by. */
export type FailureKind =
  | "empty"
  | "too-long"
  | "refused"
  | "overloaded"
  | "timed-out"
  | "gone"
  | "broken";

/** Numbers that go with a failure. */
export interface FailureDetails {
  readonly wait?: number | undefined;
  readonly tokens?: number | undefined;
  readonly limit?: number | undefined;
}

/** A question that was not answered. */
export class Failure extends Error {
  override readonly name = "Failure";

  /**
   * @param kind What the page does about it: after `overloaded`, `gone` and one `timed-out` it asks again by itself.
   * @param message What people read.
   * @param details What the server says in numbers.
   */
  constructor(readonly kind: FailureKind, message: string, details: FailureDetails = {}) {
    super(message);
    this.wait = details.wait;
    this.tokens = details.tokens;
    this.limit = details.limit;
  }

  /** Seconds after which to ask again, where the server says so. */
  readonly wait: number | undefined;
  /** How many tokens the prompt has, where that is what is wrong. */
  readonly tokens: number | undefined;
  /** How many it may have. */
  readonly limit: number | undefined;

  /** Whether the same question may be answered later. */
  get passes(): boolean {
    return ["overloaded", "timed-out", "gone"].includes(this.kind);
  }
}

/** What is known of an error that the server reported, in GraphQL or as problem+json. */
export interface ReportedError {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  /** The header `Retry-After`. */
  readonly retryAfter: string | null;
  readonly tokens?: number | undefined;
  readonly limit?: number | undefined;
}

/** Sorts what the server reports into what the page can do about it. */
export function failureOf(error: ReportedError): Failure {
  const { code, message, status, retryAfter, tokens, limit } = error;
  const wait = retryAfter && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined;
  if (code === "MATRIX_TOO_LARGE") return new Failure("refused", message);
  if (code === "DEADLINE_EXCEEDED" || status === 504) {
    return new Failure("timed-out", message, { wait });
  }
  if (code === "PROMPT_TOO_LONG" || status === 413 || status === 414 || status === 431) {
    return new Failure("too-long", message, { tokens, limit });
  }
  if (
    ["OVERLOADED", "DEVICE_LOST", "CANCELLED"].includes(code) ||
    [429, 502, 503].includes(status)
  ) {
    return new Failure("overloaded", message, { wait });
  }
  if (status >= 500 || code === "INTERNAL_SERVER_ERROR") return new Failure("broken", message);
  return new Failure("refused", message);
}

/** A server that can't be reached; `fetch` does not say why. */
export function gone(): Failure {
  return new Failure("gone", "The server does not answer");
}
