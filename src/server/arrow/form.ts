/** The layouts of a matrix: a row for each target, for each matrix, or for each number. */
export const LAYOUTS = ["rows", "tensor", "tidy"] as const;
/** One of {@linkcode LAYOUTS}. */
export type Layout = typeof LAYOUTS[number];

/** The Arrow IPC formats: a stream, or a file with random access. */
export const FORMATS = ["stream", "file"] as const;
/** One of {@linkcode FORMATS}. */
export type Format = typeof FORMATS[number];

/** Options of the Arrow encoding. */
export interface ArrowForm {
  readonly layout: Layout;
  readonly format: Format;
}

/** The default options. */
export const DEFAULT_FORM: ArrowForm = { layout: "rows", format: "stream" };

/** The media types of the formats, as registered with IANA. */
export const MEDIA_TYPES: Readonly<Record<Format, string>> = {
  stream: "application/vnd.apache.arrow.stream",
  file: "application/vnd.apache.arrow.file",
};

/** The endings of file names, likewise. */
export const EXTENSIONS: Readonly<Record<Format, string>> = { stream: "arrows", file: "arrow" };
