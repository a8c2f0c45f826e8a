import { createHash } from "node:crypto";
import { inlinePolicy } from "./security_headers.ts";

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

interface Page {
  readonly etag: string;
  readonly policy: string;
  readonly html: Uint8Array<ArrayBuffer>;
  readonly gzip: Uint8Array<ArrayBuffer>;
}

let page: Promise<Page> | undefined;

/** Whether a browser came to look, rather than a program to ask. */
export function wantsGraphiQL(request: Request): boolean {
  return request.method === "GET" &&
    (request.headers.get("accept") ?? "").includes("text/html");
}

/** Answers with GraphiQL, which needs nothing from any other server. */
export async function graphiql(request: Request): Promise<Response> {
  const { etag, policy, html, gzip } = await (page ??= render());
  const headers = new Headers({
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "content-security-policy": policy,
    etag,
    vary: "accept, accept-encoding",
  });
  if (request.headers.get("if-none-match") === etag) {
    return new Response(null, { status: 304, headers });
  }
  const takesGzip = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  if (takesGzip) headers.set("content-encoding", "gzip");
  return new Response(takesGzip ? gzip : html, { headers });
}

/** The page is 9 MB: it is loaded when somebody wants it, and compressed once. */
async function render(): Promise<Page> {
  const { renderGraphiQL } = await import("@graphql-yoga/render-graphiql");
  const text = renderGraphiQL({
    title: "Infoflow",
    defaultQuery: DEFAULT_QUERY,
  });
  const html = new TextEncoder().encode(text);
  const stream = new Blob([html]).stream().pipeThrough(new CompressionStream("gzip"));
  const gzip = await new Response(stream).bytes();
  const etag = `"${createHash("sha256").update(html).digest("hex").slice(0, 32)}"`;
  return { etag, policy: inlinePolicy(scriptHashes(text)), html, gzip };
}

/** The hashes by which a Content-Security-Policy knows the scripts within a page. */
function scriptHashes(html: string): string[] {
  const scripts = html.matchAll(/<script>(.*?)<\/script>/gs);
  return Array.from(
    scripts,
    ([, script]) => `sha256-${createHash("sha256").update(script!).digest("base64")}`,
  );
}
