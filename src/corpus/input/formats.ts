/** What files of a corpus are. */
export const CORPUS_FORMATS = ["parquet", "arrow", "csv", "jsonl", "text"] as const;
/** One of {@linkcode CORPUS_FORMATS}. */
export type CorpusFormat = typeof CORPUS_FORMATS[number];

const ENDINGS: Readonly<Record<string, CorpusFormat>> = {
  parquet: "parquet",
  arrow: "arrow",
  arrows: "arrow",
  feather: "arrow",
  ipc: "arrow",
  csv: "csv",
  tsv: "csv",
  jsonl: "jsonl",
  ndjson: "jsonl",
  txt: "text",
  text: "text",
};

/**
 * What a file is, by its ending; `.gz` and `.zst` after it say that it is compressed.
 *
 * @throws {RangeError} If the ending is unknown.
 */
export function formatOf(path: string): CorpusFormat {
  const plain = path.replace(/\.(gz|zst)$/, "");
  const ending = plain.match(/\.(\w+)$/)?.[1]?.toLowerCase() ?? "";
  const format = ENDINGS[ending];
  if (format && (plain === path || format !== "parquet")) return format;
  throw new RangeError(
    `Cannot read ${path} as its ending must be one of ${Object.keys(ENDINGS).join(", ")} ` +
      `(with .gz or .zst after it, except for parquet): rename it, or say --format`,
  );
}
