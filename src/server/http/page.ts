import icon from "../../../web/favicon.svg" with { type: "text" };
import html from "../../../web/index.html" with { type: "text" };
// Bundled from web/main.ts by `deno task page`; a test keeps it up to date.
import script from "../../../web/dist/page.js" with { type: "text" };
import style from "../../../web/page.css" with { type: "text" };
import { PAGE_POLICY } from "./security_headers.ts";
import { StaticFile } from "./static_file.ts";

/** The files of the page, by their paths. */
export const PAGE_FILES: ReadonlyMap<string, StaticFile> = new Map([
  [
    "/",
    new StaticFile(html, "text/html; charset=utf-8", {
      "content-security-policy": PAGE_POLICY,
    }),
  ],
  ["/page.js", new StaticFile(script, "text/javascript; charset=utf-8")],
  ["/page.css", new StaticFile(style, "text/css; charset=utf-8")],
  ["/favicon.svg", new StaticFile(icon, "image/svg+xml")],
]);
