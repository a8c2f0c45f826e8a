import { type ErrorCode, InfoflowError } from "../errors.ts";

const STATUSES: Record<ErrorCode, number> = {
  PROMPT_EMPTY: 400,
  PROMPT_TOO_LONG: 400,
  BAD_USER_INPUT: 400,
  MATRIX_TOO_LARGE: 413,
  CANCELLED: 503,
  OVERLOADED: 503,
  DEVICE_LOST: 503,
};

/** An error as problem+json (RFC 9457), with the code that GraphQL would give it. */
export function problem({ code, message, details }: InfoflowError): Response {
  const status = STATUSES[code];
  return Response.json({ ...details, title: message, status, code }, {
    status,
    headers: { "content-type": "application/problem+json" },
  });
}

/** An error that was not meant for the client, as an id that the log has too. */
export function maskedProblem(id: string): Response {
  const title = `Something went wrong here, not in your request. The log has it as ${id}`;
  return Response.json({ title, status: 500, code: "INTERNAL_SERVER_ERROR", id }, {
    status: 500,
    headers: { "content-type": "application/problem+json" },
  });
}
