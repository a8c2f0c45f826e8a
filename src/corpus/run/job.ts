import type { Corpus } from "../input/corpus.ts";
import type { DonePart, Manifest } from "../output/manifest.ts";

/** A part of a corpus that is to be made. */
export interface Part {
  readonly part: number;
  /** Its first row, and the one after its last. */
  readonly first: number;
  readonly end: number;
}

/** Told of rows as they are done. */
export interface RowProgress {
  /** @param code Why the row was refused, if it was. */
  row(tokens: number, code: string | undefined): void;
}

/** The computation of a run: files for each part of a corpus, and files for the whole corpus. */
export interface Job {
  /** Its name in commands and in the manifest. */
  readonly name: string;
  /** The options that its numbers depend on, beside the model and the rows. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Rows of a part, by default. */
  readonly partRows: number;
  /**
   * Makes a part: writes its files.
   *
   * @returns The names and sizes of the files.
   */
  make(part: Part, corpus: Corpus, output: PartOutput): Promise<DonePart["files"]>;
  /** Makes what is of the whole corpus, when all parts are there. */
  finish(directory: string, manifest: Manifest, corpus: Corpus): Promise<readonly string[]>;
}

/** Where a part goes. */
export interface PartOutput {
  readonly directory: string;
  readonly progress: RowProgress;
}

/** The name of a part's file, such as `part-00042.parquet`. */
export function partFile(stem: string, part: number, ending: string): string {
  return `${stem}-${String(part).padStart(5, "0")}.${ending}`;
}
