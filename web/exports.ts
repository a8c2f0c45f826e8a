import { byId } from "./draw/elements.ts";
import type { PageState } from "./page_state.ts";
import { questionsOf } from "./server/questions.ts";
import { javascriptLine, pythonLine } from "./server/snippets.ts";
import { download, pngFile, svgFile } from "./views/download.ts";
import type { Picture } from "./views/picture.ts";

/** What people take with them: files of what is on the screen, and lines that fetch it. */
export class Exports {
  readonly #arrow = byId("arrow", HTMLAnchorElement);

  /**
   * @param picture What is on the screen.
   * @param tell Tells whoever asked what became of it.
   */
  constructor(picture: Picture, tell: (message: string) => void) {
    byId("downloads", HTMLElement).addEventListener("click", async ({ target }) => {
      if (!(target instanceof HTMLButtonElement) || !picture.files) return;
      const { url, drawing, csv } = picture.files;
      const file = target.value === "csv"
        ? csv()
        : target.value === "svg"
        ? svgFile(drawing())
        : await pngFile(drawing());
      download(file, `${nameOf(url)}.${target.value}`);
    });
    byId("copies", HTMLElement).addEventListener("click", async ({ target }) => {
      if (!(target instanceof HTMLButtonElement)) return;
      const text = this.#textOf(target.value);
      const isCopied = await navigator.clipboard.writeText(text).then(() => true, () => false);
      tell(isCopied ? `Copied: ${text}` : text);
    });
  }

  /** Points the link to the Arrow bytes at those of a state. */
  show(state: PageState): void {
    this.#arrow.href = questionsOf(state).stage.url;
  }

  #textOf(kind: string): string {
    if (kind === "python") return pythonLine(this.#arrow.href);
    if (kind === "javascript") return javascriptLine(this.#arrow.href);
    return location.href;
  }
}

function nameOf(url: string): string {
  return url.slice(1).replace(/\.arrow\?.*$/s, "");
}
