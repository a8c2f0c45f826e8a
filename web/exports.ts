import { documentOf } from "./calls/graphql.ts";
import { javascriptOf } from "./calls/javascript.ts";
import { linkOf } from "./calls/link.ts";
import { pythonOf } from "./calls/python.ts";
import { byId } from "./draw/elements.ts";
import { lightTheme } from "./draw/theme.ts";
import { csvFile, download, pngFile, svgFile } from "./exhibits/download.ts";
import { type Exhibit, fileNameOf } from "./exhibits/exhibit.ts";
import { figureOf } from "./exhibits/figure.ts";
import { htmlFile } from "./exhibits/html_file.ts";
import { writeState } from "./page_state.ts";

const SAYS_COPIED = 2000;

/** The exports: files of what is on the screen, and lines of code that fetch the same. */
export class Exports {
  readonly #arrow = byId("arrow", HTMLAnchorElement);
  readonly #graphiql = byId("graphiql", HTMLAnchorElement);
  readonly #part = byId("take", HTMLFieldSetElement);
  readonly #copied = byId("copied", HTMLElement);
  #exhibit: Exhibit | undefined;

  constructor() {
    byId("downloads", HTMLElement).addEventListener("click", ({ target }) => {
      if (target instanceof HTMLButtonElement && this.#exhibit) {
        this.#download(this.#exhibit, target.value);
      }
    });
    byId("copies", HTMLElement).addEventListener("click", ({ target }) => {
      if (target instanceof HTMLButtonElement && this.#exhibit) this.#copy(this.#exhibit, target);
    });
  }

  /** Offers what is shown now; nothing while that is not what is asked for. */
  show(exhibit: Exhibit | undefined): void {
    this.#exhibit = exhibit;
    this.#part.disabled = exhibit === undefined;
    if (exhibit) {
      this.#arrow.href = linkOf(exhibit.call);
      this.#graphiql.href = `graphql?query=${encodeURIComponent(documentOf(exhibit.call))}`;
    } else this.#arrow.removeAttribute("href");
  }

  async #download(exhibit: Exhibit, kind: string): Promise<void> {
    const figure = (): SVGSVGElement => figureOf(exhibit, lightTheme());
    const files: Record<string, () => Blob | Promise<Blob>> = {
      png: () => pngFile(figure()),
      svg: () => svgFile(figure()),
      html: () => htmlFile(exhibit, figure()),
      csv: () => csvFile(exhibit),
    };
    const file = await files[kind]!();
    download(file, fileNameOf(exhibit, kind));
  }

  async #copy(exhibit: Exhibit, button: HTMLButtonElement): Promise<void> {
    const text = this.#textOf(exhibit, button.value);
    const isCopied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    const name = button.textContent;
    if (!isCopied) return void prompt("Copy this:", text);
    button.textContent = "Copied";
    this.#copied.textContent = "Copied";
    setTimeout(() => {
      button.textContent = name;
      this.#copied.textContent = "";
    }, SAYS_COPIED);
  }

  #textOf({ call, python, known: { state } }: Exhibit, kind: string): string {
    // Programs elsewhere are told where the server is if they need its token, too.
    const server = "token" in document.documentElement.dataset
      ? new URL(".", location.href).href
      : undefined;
    if (kind === "python") return pythonOf(call, python, server);
    const url = new URL(linkOf(call), location.href).href;
    if (kind === "javascript") return javascriptOf(url, server !== undefined);
    return `${location.origin}${location.pathname}${writeState(state)}`;
  }
}
