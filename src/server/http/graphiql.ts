import { createHash } from "node:crypto";
import { inlinePolicy } from "./security_headers.ts";
import { StaticFile } from "./static_file.ts";

const DEFAULT_QUERY = `# Which earlier tokens feed each token?
# Ctrl-Enter asks; hover a field to read
# what it means.
query Flow {
  infoFlow(
    prompt: "Mary and John went to the store. John gave the cart to"
    byLayer: false
    aggregation: MEAN
    bos: DROP
  ) {
    # true when you ask again
    cacheHit
    tokens { index text }
    matrix {
      shape
      # rows are targets,
      # columns what they take from
      values
      # the same as Apache Arrow, for
      # curl, pyarrow, polars
      url
    }
  }
}
`;

const PAGES = new Map<string, Promise<StaticFile>>();

/** Whether the request is a browser's for the GraphiQL page. */
export function wantsGraphiQL(request: Request): boolean {
  return request.method === "GET" &&
    (request.headers.get("accept") ?? "").includes("text/html");
}

/**
 * Answers with GraphiQL, which loads nothing from other servers.
 *
 * @param origins Other origins whose pages may show it in a frame.
 */
export async function graphiql(request: Request, origins: readonly string[]): Promise<Response> {
  const key = origins.join();
  const page = PAGES.get(key) ?? render(origins);
  PAGES.set(key, page);
  return (await page).answer(request);
}

/** The page is 9 MB, so it is loaded on its first request. */
async function render(origins: readonly string[]): Promise<StaticFile> {
  const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
  const text = renderGraphiQL({ title: "Infoflow", defaultQuery: DEFAULT_QUERY });
  return new StaticFile(text, "text/html; charset=utf-8", {
    "content-security-policy": inlinePolicy(scriptHashes(text), origins),
    vary: "accept, accept-encoding",
  });
}

/** The hashes of a page's inline scripts for its Content-Security-Policy. */
function scriptHashes(html: string): string[] {
  const scripts = html.matchAll(/<script>(.*?)<\/script>/gs);
  return Array.from(
    scripts,
    ([, script]) => `sha256-${createHash("sha256").update(script!).digest("base64")}`,
  );
}
