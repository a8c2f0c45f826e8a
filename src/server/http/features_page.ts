import html from "../../../web/features.html" with { type: "text" };
import { pagePolicy } from "./security_headers.ts";
import { StaticFile } from "./static_file.ts";

/** Where the list of features is; a feature is below it: `/features/SAE/INDEX`, and SAE may have slashes. */
export const FEATURES_PATH = "/features";

/** Names of autoencoders are paths of a few parts: no link is as deep as that. */
const DEEPEST = 16;

/** The page of features, which reads from its own address what it is of. */
export class FeaturesPage {
  readonly #origins: readonly string[];
  readonly #files = new Map<number, StaticFile>();

  /** @param origins Other origins whose pages may show it in a frame. */
  constructor(origins: readonly string[]) {
    this.#origins = origins;
  }

  /** Whether a path is of this page. */
  static isAt(pathname: string): boolean {
    return pathname === FEATURES_PATH || pathname.startsWith(`${FEATURES_PATH}/`);
  }

  /** The page at a path. */
  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const depth = Math.min(DEEPEST, pathname.split("/").length - 2);
    return await this.#at(depth).answer(request);
  }

  /** Its links are relative, as only the browser knows what a proxy has put in front of the path. */
  #at(depth: number): StaticFile {
    const known = this.#files.get(depth);
    if (known) return known;
    const root = "../".repeat(depth) || "./";
    const text = html.replaceAll(/(?<=(?:href|src)=")\.\//g, root);
    const file = new StaticFile(text, "text/html; charset=utf-8", {
      "content-security-policy": pagePolicy(this.#origins),
    });
    this.#files.set(depth, file);
    return file;
  }
}
