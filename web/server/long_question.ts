/** Servers, and what stands before them, refuse URLs that are much longer. */
const LONGEST_URL = 8000;

/** Names in links whose values are texts or lists; those of the others stand in GraphQL as they are. */
const LITERALS: Readonly<Record<string, (value: string) => string>> = {
  model: (name) => JSON.stringify(name),
  layers: (list) => `[${list}]`,
  heads: (list) => `[${list}]`,
  ablate: (list) =>
    `[${list.split(",").map((pair) => `{layer: ${pair.replace(".", ", head: ")}}`).join(", ")}]`,
};

/**
 * How to ask for a matrix: by its link, or where the prompt makes that too long by the same question in GraphQL, which
 * answers with the same bytes.
 */
export function requestOf(url: string): Request {
  if (url.length <= LONGEST_URL) return new Request(url);
  const { pathname, searchParams } = new URL(url, location.origin);
  const { prompt, ...others } = Object.fromEntries(searchParams);
  const options = Object.entries(others).map(([name, value]) =>
    `${name}: ${LITERALS[name]?.(value) ?? value}`
  );
  const field = pathname === "/attention.arrow" ? "attention" : "infoFlow";
  const query = `query Long($prompt: String!) {
  ${field}(${["prompt: $prompt", ...options].join(", ")}) { matrix { shape } }
}`;
  return new Request("/graphql", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/vnd.apache.arrow.stream",
    },
    body: JSON.stringify({ query, variables: { prompt } }),
  });
}
