import { failureOf, gone } from "./failure.ts";

/** Beside the script, however deep the page's own path is. */
const ENDPOINT = new URL("graphql", import.meta.url);

interface Answer<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly { message: string; extensions?: Extensions }[];
}

/**
 * Asks the server in GraphQL.
 *
 * @throws {Failure} If it does not answer, or answers with an error.
 */
export async function askGraphQL<Data>(
  query: string,
  variables: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Data> {
  const response = await fetch(ENDPOINT, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query, variables }),
    signal,
  }).catch((error) => {
    throw signal.aborted ? error : gone();
  });
  const { status } = response;
  const retryAfter = response.headers.get("retry-after");
  const answer: Answer<Data> & Problem = await response.json().catch(() => ({}));
  const [error] = answer.errors ?? [];
  if (error) {
    const { message, extensions } = error;
    throw failureOf({ code: "", ...extensions, message, status, retryAfter });
  }
  if (!answer.data) {
    const { code = "", title = `The server answers ${status}` } = answer;
    throw failureOf({ code, message: title, status, retryAfter });
  }
  return answer.data;
}

interface Extensions {
  readonly code?: string;
  readonly tokens?: number;
  readonly limit?: number;
}

/** A refusal before GraphQL (RFC 9457). */
export interface Problem {
  readonly code?: string;
  readonly title?: string;
}
