import type { ErrorCode, InfoflowError } from "./errors.ts";

const STATUSES: Record<ErrorCode, number> = {
  PROMPT_EMPTY: 400,
  PROMPT_TOO_LONG: 400,
  BAD_USER_INPUT: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  METHOD_NOT_ALLOWED: 405,
  MATRIX_TOO_LARGE: 413,
  BODY_TOO_LARGE: 413,
  URL_TOO_LONG: 414,
  HEADERS_TOO_LARGE: 431,
  DISK_FULL: 507,
  CANCELLED: 503,
  OVERLOADED: 503,
  DEVICE_LOST: 503,
  DEADLINE_EXCEEDED: 504,
};

/** Each has a parameter: Chromium asks for no password where one stands without. */
const CHALLENGES = 'Basic realm="Infoflow", charset="UTF-8", Bearer realm="Infoflow"';

/** What HTTP says of an error: its status, and headers that tell a client what to do. */
export interface HttpForm {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** The status and headers of an error. */
export function httpFormOf({ code, details }: InfoflowError): HttpForm {
  return { status: STATUSES[code], headers: headersOf(code, details) };
}

function headersOf(code: ErrorCode, details: InfoflowError["details"]): Record<string, string> {
  if (code === "UNAUTHORIZED") return { "www-authenticate": CHALLENGES };
  if (code === "OVERLOADED") return { "retry-after": String(details.retryAfter ?? 1) };
  if (code === "METHOD_NOT_ALLOWED") return { allow: String(details.allow) };
  return {};
}
