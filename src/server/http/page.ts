import icon from "../../../web/favicon.svg" with { type: "text" };
import html from "../../../web/index.html" with { type: "text" };
// Bundled from web/main.ts by `deno task page`; a test keeps it up to date.
import script from "../../../web/dist/page.js" with { type: "text" };
import corpusStyle from "../../../web/corpus.css" with { type: "text" };
import style from "../../../web/page.css" with { type: "text" };
import { PAGE_POLICY } from "./security_headers.ts";
import { StaticFile } from "./static_file.ts";

/** The page of one prompt, with or without the way to that of a corpus. */
export function promptPage({ hasCorpus }: { readonly hasCorpus: boolean }): StaticFile {
  const page = hasCorpus ? html.replace(' id="corpus" hidden', ' id="corpus"') : html;
  return new StaticFile(page, "text/html; charset=utf-8", {
    "content-security-policy": PAGE_POLICY,
  });
}

/** What the pages load, by their paths. */
export const PAGE_FILES: ReadonlyMap<string, StaticFile> = new Map([
  ["/page.js", new StaticFile(script, "text/javascript; charset=utf-8")],
  ["/corpus.css", new StaticFile(corpusStyle, "text/css; charset=utf-8")],
  ["/page.css", new StaticFile(style, "text/css; charset=utf-8")],
  ["/favicon.svg", new StaticFile(icon, "image/svg+xml")],
]);
