import type { Call } from "../calls/call.ts";
import { baseName } from "../controls/model.ts";
import type { Theme } from "../draw/theme.ts";
import type { Matrix } from "../server/matrix.ts";
import type { Heading, Known } from "./known.ts";

/** Rows under named columns. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: () => Iterable<readonly (string | number | null)[]>;
}

/** What is shown: the one description that the title, every file and every line that leaves the page are made from. */
export interface Exhibit {
  readonly known: Known;
  readonly heading: Heading;
  /** How it was computed, such as `attention`, where the heading does not say it. */
  readonly method?: string | undefined;
  /** The question to the API that has the same numbers. */
  readonly call: Call;
  /** What follows the question in Python, such as `.values[0]`. */
  readonly python: string;
  /** The picture without its title, of a given width in pixels. */
  readonly drawing: (theme: Theme, width: number) => SVGSVGElement;
  /** The cells, where the drawing has them as one image. */
  readonly matrix?: Matrix | undefined;
  /** The numbers. */
  readonly table: () => Table;
}

/** A line below the title: by which method, of which model and prompt. */
export function captionOf(
  { known: { state, reading: { model, tokens } }, method }: Exhibit,
): string {
  const parts = [method, baseName(model.name), `${tokens.length} tokens with BOS`];
  return `${parts.filter(Boolean).join(" · ")} · “${state.prompt}”`;
}

/** A file's name that tells what is in it. */
export function fileNameOf(exhibit: Exhibit, ending: string): string {
  const { known: { state }, heading, method } = exhibit;
  const parts = [
    state.view,
    method,
    heading.name,
    Array.from(state.prompt).slice(0, 40).join(""),
  ];
  const words = parts.filter(Boolean).join(" ").toLowerCase().normalize("NFKD")
    .replaceAll(/\p{M}/gu, "").replaceAll(/[^\p{L}\p{N}.]+/gu, "-").replaceAll(
      /^[-.]+|[-.]+$/g,
      "",
    );
  return `${words.slice(0, 80)}.${ending}`;
}
