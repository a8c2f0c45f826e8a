import { GraphQLError } from "graphql";
import { asMeant, InfoflowError } from "../../errors.ts";
import { logError } from "../observe/log_error.ts";
import { httpFormOf } from "../../statuses.ts";
import type { Log } from "../observe/log.ts";

/**
 * What a client sees of an error: one with a code as it is, any other as an id that the log has too.
 *
 * @param log Gets the errors that clients are not shown.
 */
export function maskError(error: unknown, log: Log): GraphQLError {
  const cause = asMeant(error instanceof GraphQLError ? error.originalError ?? error : error);
  const where = error instanceof GraphQLError
    ? { nodes: error.nodes ?? null, source: error.source, path: error.path }
    : {};
  if (cause instanceof InfoflowError) {
    const { message, code, details } = cause;
    const http = httpFormOf(cause);
    // Client errors stay in a 200 response; server errors also set the HTTP status.
    const said = http.status >= 500 ? { http } : {};
    return new GraphQLError(message, { ...where, extensions: { code, ...details, ...said } });
  }
  if (cause instanceof GraphQLError) return ownMistake(cause);
  const id = logError(cause, log);
  return new GraphQLError(
    `Something went wrong here, not in your request. The log has it as ${id}`,
    {
      ...where,
      extensions: { code: "INTERNAL_SERVER_ERROR", id },
    },
  );
}

/** The codes that Yoga gives to invalid requests; bad variables get none. */
const REQUEST_CODES: unknown[] = [
  "BAD_REQUEST",
  "GRAPHQL_PARSE_FAILED",
  "GRAPHQL_VALIDATION_FAILED",
  undefined,
];

/** Gives an error in the query itself, such as an unknown enum value, the code BAD_USER_INPUT. */
export function ownMistake(error: GraphQLError): GraphQLError {
  if (REQUEST_CODES.includes(error.extensions.code)) error.extensions.code = "BAD_USER_INPUT";
  return error;
}
