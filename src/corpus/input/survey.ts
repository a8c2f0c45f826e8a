import { createHash } from "node:crypto";
import { InfoflowError } from "../../errors.ts";
import type { ColumnKind } from "./column_kind.ts";
import type { CorpusFormat } from "./formats.ts";
import type { InputBatch } from "../../server/batch/input_batch.ts";
import { readArrow } from "./read_arrow.ts";
import { readCsv } from "./read_csv.ts";
import { mergedKinds, readJsonl, surveyJsonl } from "./read_jsonl.ts";
import { parquetInfo, readParquet } from "./read_parquet.ts";
import { readText } from "./read_text.ts";

/** A file of a corpus, read once from end to end. */
export interface InputFile {
  readonly path: string;
  readonly format: CorpusFormat;
  readonly bytes: number;
  readonly sha256: string;
  readonly rows: number;
  /** The kinds of its columns by name, which its reader needs beforehand. */
  readonly kinds: ReadonlyMap<string, ColumnKind | undefined>;
}

/** The columns that may have the prompts if the user names none. */
const PROMPTS = ["prompt", "ids"];

/**
 * Counts the rows of a file, and finds its hash.
 *
 * @param column The column of the prompts, where it is not `prompt` or `ids`.
 * @throws {InfoflowError} BAD_USER_INPUT, with the path, if it can't be read to its end.
 */
export async function survey(
  path: string,
  format: CorpusFormat,
  column?: string,
): Promise<InputFile> {
  try {
    return await surveyed(path, format, promptsOf(column));
  } catch (error) {
    if (error instanceof InfoflowError) throw error;
    const { message } = error as Error;
    const text = message.includes(path) ? message : `Cannot read ${path} to its end: ${message}`;
    throw new InfoflowError("BAD_USER_INPUT", text);
  }
}

async function surveyed(
  path: string,
  format: CorpusFormat,
  prompts: readonly string[],
): Promise<InputFile> {
  const { size: bytes } = await Deno.stat(path);
  const sha256 = await hashOf(path);
  if (format === "parquet") {
    const { rows, kinds } = await parquetInfo(path);
    return { path, format, bytes, sha256, rows, kinds };
  }
  const kinds = format === "jsonl"
    ? await surveyJsonl(path, prompts)
    : new Map<string, ColumnKind>();
  const file = { path, format, bytes, sha256, kinds };
  let rows = 0;
  for await (const { batch } of rowsOf(file)) rows += batch.numRows;
  return { ...file, rows };
}

/**
 * The files of one corpus. Those of JSON objects get the same columns: a column that a file lacks is null there, and its
 * kind is one that fits the values of all files.
 *
 * @param column As for {@linkcode survey}.
 */
export function alike(files: readonly InputFile[], column?: string): InputFile[] {
  const all = files.filter(({ format }) => format === "jsonl").map(({ kinds }) => kinds);
  const kinds = mergedKinds(all, promptsOf(column));
  return files.map((file) => file.format === "jsonl" ? { ...file, kinds } : file);
}

function promptsOf(column: string | undefined): readonly string[] {
  return column === undefined ? PROMPTS : [column];
}

/** Reads a file from its first row on; a Parquet file from any. */
export function rowsOf(
  { path, format, kinds }: Pick<InputFile, "path" | "format" | "kinds">,
  from = 0,
): AsyncGenerator<InputBatch> {
  switch (format) {
    case "parquet":
      return readParquet(path, from);
    case "arrow":
      return readArrow(path);
    case "csv":
      return readCsv(path);
    case "jsonl":
      return readJsonl(path, kinds);
    case "text":
      return readText(path);
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of (await Deno.open(path)).readable) hash.update(piece);
  return hash.digest("hex");
}
