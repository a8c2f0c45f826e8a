import type { InfoflowError } from "../../errors.ts";
import { GRAPHQL_PATH } from "../links/paths.ts";
import { type HttpForm, httpFormOf } from "../../statuses.ts";

/**
 * Answers a request that was refused, or a plain GET that failed.
 *
 * @param path GraphQL has its own form of errors; other paths get problem+json (RFC 9457).
 */
export function problem(error: InfoflowError, path: string): Response {
  const { code, message, details } = error;
  return answer(path, { title: message, members: { ...details, code }, ...httpFormOf(error) });
}

/** Answers with an error that was not meant for the client, as an id that the log has too. */
export function maskedProblem(id: string, path: string): Response {
  return answer(path, {
    title: `Something went wrong here, not in your request. The log has it as ${id}`,
    members: { code: "INTERNAL_SERVER_ERROR", id },
    status: 500,
    headers: {},
  });
}

interface Problem extends HttpForm {
  readonly title: string;
  readonly members: Readonly<Record<string, string | number>>;
}

function answer(path: string, { title, members, status, headers }: Problem): Response {
  if (path === GRAPHQL_PATH) {
    const body = { errors: [{ message: title, extensions: members }] };
    return Response.json(body, { status, headers });
  }
  const type = { "content-type": "application/problem+json" };
  return Response.json({ ...members, title, status }, { status, headers: { ...headers, ...type } });
}
