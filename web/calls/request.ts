import type { Call } from "./call.ts";
import { documentOf } from "./graphql.ts";
import { linkOf } from "./link.ts";

/** Servers, and what stands before them, refuse URLs that are much longer. */
const LONGEST_URL = 8000;

/**
 * How to ask for a matrix: by its link, or where the prompt makes that too long by the same question in GraphQL, which
 * answers with the same bytes.
 */
export function requestOf(call: Call): Request {
  const url = linkOf(call);
  if (url.length <= LONGEST_URL) return new Request(url);
  return new Request("graphql", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/vnd.apache.arrow.stream",
    },
    body: JSON.stringify({ query: documentOf(call) }),
  });
}
