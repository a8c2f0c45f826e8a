import icon from "../../../web/favicon.svg" with { type: "text" };
import html from "../../../web/index.html" with { type: "text" };
// Bundled from web/main.ts by `deno task page`; a test keeps it up to date.
import script from "../../../web/dist/page.js" with { type: "text" };
import featuresScript from "../../../web/dist/features.js" with { type: "text" };
import corpusStyle from "../../../web/corpus.css" with { type: "text" };
import featuresStyle from "../../../web/features.css" with { type: "text" };
import style from "../../../web/page.css" with { type: "text" };
import { pagePolicy } from "./security_headers.ts";
import { StaticFile } from "./static_file.ts";

/** The server's settings for the page. */
export interface PageOptions {
  /** Whether there is a link to the page of a corpus. */
  readonly hasCorpus: boolean;
  /** Whether lines that are copied from it must give a token. */
  readonly hasToken: boolean;
  /** Other origins whose pages may show it in a frame. */
  readonly origins: readonly string[];
}

/** The page of one prompt. */
export function promptPage({ hasCorpus, hasToken, origins }: PageOptions): StaticFile {
  let page = hasCorpus ? html.replace(' id="corpus" hidden', ' id="corpus"') : html;
  if (hasToken) page = page.replace("<html ", "<html data-token ");
  return new StaticFile(page, "text/html; charset=utf-8", {
    "content-security-policy": pagePolicy(origins),
  });
}

/** The files that pages load, by path. */
export const PAGE_FILES: ReadonlyMap<string, StaticFile> = new Map([
  ["/page.js", new StaticFile(script, "text/javascript; charset=utf-8")],
  ["/features.js", new StaticFile(featuresScript, "text/javascript; charset=utf-8")],
  ["/features.css", new StaticFile(featuresStyle, "text/css; charset=utf-8")],
  ["/corpus.css", new StaticFile(corpusStyle, "text/css; charset=utf-8")],
  ["/page.css", new StaticFile(style, "text/css; charset=utf-8")],
  ["/favicon.svg", new StaticFile(icon, "image/svg+xml")],
]);
